-- Stacks, runs and what they leave behind. One text for SQLite and PostgreSQL: ids are text, times are milliseconds
-- since 1970 in UTC, enums are checked text, JSON is text.

create table repository (
    id text primary key not null,
    address text not null,
    -- A sealed `user:password`, never in clear.
    credential text,
    heads text not null default '{}',
    fetched_at bigint,
    next_fetch_at bigint not null,
    failures bigint not null default 0,
    problem text,
    constraint repository_address_unique unique (address)
);

create table stack (
    id text primary key not null,
    name text not null,
    description text not null default '',
    labels text not null default '[]',
    repository_id text not null references repository (id),
    tracked_branch text not null,
    project_root text not null default '',
    additional_globs text not null default '[]',
    vendor text not null check (vendor in ('terraform', 'opentofu')),
    engine_binary text not null default '',
    manage_state boolean not null default true,
    autodeploy boolean not null default false,
    autoretry boolean not null default false,
    protect_from_deletion boolean not null default false,
    allow_run_promotion boolean not null default false,
    secret_masking boolean not null default true,
    disabled boolean not null default false,
    current_commit text,
    current_run_id text,
    lock_holder text,
    lock_note text,
    locked_at bigint,
    heads text not null default '{}',
    -- Counts every change of a setting: a save that started from an older number is refused.
    version bigint not null default 1,
    -- Counts every transaction that began with this stack: taking it is taking the stack's lock.
    revision bigint not null default 0,
    created_at bigint not null,
    constraint stack_name_unique unique (name)
);

-- What each version of a stack's settings changed, so that a save which started from an older one can be told.
create table setting_change (
    stack_id text not null references stack (id) on delete cascade,
    version bigint not null,
    setting text not null,
    primary key (stack_id, version, setting)
);

create table run (
    id text primary key not null,
    stack_id text not null references stack (id) on delete cascade,
    kind text not null check (kind in ('proposed', 'tracked')),
    state text not null check (state in ('queued', 'ready', 'preparing', 'initializing', 'planning', 'unconfirmed',
        'confirmed', 'applying', 'finished', 'failed', 'discarded', 'canceled', 'stopped')),
    branch text not null,
    commit_hash text not null,
    commit_subject text not null,
    commit_author text not null,
    committed_at bigint not null,
    triggered_by text not null,
    promoted_from text references run (id),
    retry_of text references run (id),
    -- Where the stack stood before this run moved it, for a promotion that is put back.
    previous_commit text,
    previous_run_id text,
    stop_requested_by text,
    note text,
    hold text,
    changes boolean,
    delta text,
    created_at bigint not null,
    state_since bigint not null,
    planned_at bigint,
    apply_started_at bigint,
    ended_at bigint,
    lease_owner text,
    lease_until bigint,
    fence bigint not null default 0,
    state_token text
);

create index run_of_stack on run (stack_id, kind, id);
create index run_of_branch on run (stack_id, kind, branch, id);
create index run_waiting on run (state, id)
    where state in ('queued', 'ready', 'preparing', 'initializing', 'planning', 'unconfirmed', 'confirmed', 'applying');
create index run_applied on run (stack_id, apply_started_at desc) where apply_started_at is not null;

-- One tracked run at a time keeps a stack to itself.
create unique index run_one_blocker on run (stack_id)
    where kind = 'tracked' and state in ('ready', 'preparing', 'initializing', 'planning', 'unconfirmed', 'confirmed', 'applying');

-- A proposed run is promoted once, unless the tracked run ended before its apply began.
create unique index run_one_promotion on run (promoted_from)
    where promoted_from is not null
    and not (state in ('discarded', 'canceled', 'stopped') or (state = 'failed' and apply_started_at is null));

create table transition (
    run_id text not null references run (id) on delete cascade,
    position bigint not null,
    state text not null,
    at bigint not null,
    actor text not null,
    note text,
    primary key (run_id, position)
);

create table log_chunk (
    run_id text not null references run (id) on delete cascade,
    position bigint not null,
    first_line bigint not null,
    lines bigint not null,
    bytes bigint not null,
    text text not null,
    primary key (run_id, position, first_line)
);

create table plan (
    run_id text primary key not null references run (id) on delete cascade,
    document text not null
);

create table variable (
    stack_id text not null references stack (id) on delete cascade,
    name text not null,
    -- Plain text, or a sealed text when `secret`.
    value text not null,
    secret boolean not null default false,
    planning boolean not null default true,
    applying boolean not null default true,
    updated_at bigint not null,
    primary key (stack_id, name)
);

create table state_version (
    stack_id text not null references stack (id) on delete cascade,
    version bigint not null,
    serial bigint not null,
    lineage text not null,
    md5 text not null,
    -- A sealed text: a state holds secrets in clear.
    document text not null,
    run_id text not null,
    created_at bigint not null,
    primary key (stack_id, version)
);

create table state_lock (
    stack_id text primary key not null references stack (id) on delete cascade,
    lock_id text not null,
    document text not null,
    run_id text not null,
    fence bigint not null,
    created_at bigint not null
);

create table activity (
    id text primary key not null,
    at bigint not null,
    actor text not null,
    action text not null,
    -- No reference: the log outlives what it speaks of.
    stack_id text,
    run_id text,
    outcome text not null check (outcome in ('done', 'refused')),
    detail text not null default ''
);

create index activity_of_stack on activity (stack_id, id);
