-- Since when a delivery waits to be worked on: one that is to be worked on again gets as much patience as a new one.
alter table delivery add column waiting_since bigint not null default 0;

update delivery set waiting_since = received_at;

-- The checks of a commit, for somebody who asks for all of them again.
create index github_check_at_commit on github_check (github_repository_id, commit_hash, id);
