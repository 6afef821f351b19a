-- The oldest entries of the activity log may go when they were kept long enough. What was cut off is known by the number
-- and the hash of its last entry, behind which the log then begins.

alter table activity_head add column cut_number bigint not null default 0;
alter table activity_head add column cut_hash text not null default '';

create index pull_request_of_commit on pull_request (github_repository_id, head_commit);
create index delivery_ended on delivery (ended_at);
