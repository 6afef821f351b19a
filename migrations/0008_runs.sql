-- The settings that a run planned with, in JSON: its plan is applied with the same or not at all.
alter table run add column planned_with text;
