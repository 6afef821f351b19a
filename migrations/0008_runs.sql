-- The settings that a run planned with, in JSON: its plan is applied with the same or not at all.
alter table run add column planned_with text;

-- Which runs came of a run: a page asks, and so does the database before one goes.
create index run_promoted_from on run (promoted_from) where promoted_from is not null;
create index run_retry_of on run (retry_of) where retry_of is not null;
