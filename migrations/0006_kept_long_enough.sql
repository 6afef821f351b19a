-- The oldest entries of the activity log may go when they were kept long enough. What was cut off is known by the number
-- and the hash of its last entry, behind which the log then begins.

alter table activity_head add column cut_number bigint not null default 0;
alter table activity_head add column cut_hash text not null default '';

create index pull_request_of_commit on pull_request (github_repository_id, head_commit);
create index delivery_ended on delivery (ended_at);

-- What a secret variable held before: Terraform may still print it, so it is masked for a while. Sealed, as it was.
create table earlier_secret (
    stack_id text not null references stack (id) on delete cascade,
    id text not null,
    value text not null,
    ended_at bigint not null,
    primary key (stack_id, id)
);
