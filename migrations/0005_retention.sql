-- What was removed because it had been kept long enough, so that a page can say so.

create table cleaned (
    run_id text not null references run (id) on delete cascade,
    kind text not null check (kind in ('log', 'plan')),
    at bigint not null,
    primary key (run_id, kind)
);

create index run_open on run (stack_id) where ended_at is null;
