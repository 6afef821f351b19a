-- GitHub: the App, where it is installed, what it told Headway and what Headway tells it. GitHub's ids are its numbers;
-- names change, so nothing is keyed by them.

alter table stack add column fork_plans boolean not null default false;
alter table stack add column pull_request_comment boolean not null default false;
alter table stack add column public_changes boolean not null default false;

create index run_of_commit on run (stack_id, commit_hash, id);

-- At most one App.
create table github_app (
    one bigint primary key not null check (one = 1),
    app_id bigint not null,
    slug text not null,
    name text not null,
    client_id text not null,
    web_address text not null,
    api_address text not null,
    -- Sealed.
    private_key text not null,
    webhook_secret text not null,
    client_secret text,
    previous_webhook_secret text,
    previous_until bigint,
    permissions text not null default '{}',
    created_at bigint not null,
    checked_at bigint,
    problem text,
    delivered_at bigint,
    signature_failures bigint not null default 0,
    signature_failed_at bigint,
    caught_up_at bigint
);

create table github_installation (
    id bigint primary key not null,
    account text not null,
    permissions text not null default '{}',
    suspended boolean not null default false,
    rate_limit bigint,
    rate_remaining bigint,
    rate_resets_at bigint,
    problem text
);

create table github_repository (
    id bigint primary key not null,
    installation_id bigint references github_installation (id) on delete set null,
    full_name text not null,
    clone_address text not null,
    default_branch text not null,
    private boolean not null,
    -- The repository that Headway mirrors, once a stack uses it.
    repository_id text references repository (id) on delete set null,
    -- Since when its runs have checks.
    linked_at bigint,
    pulls_read_at bigint
);

create index github_repository_of_installation on github_repository (installation_id);
create unique index github_repository_mirrored on github_repository (repository_id) where repository_id is not null;

create table pull_request (
    github_repository_id bigint not null references github_repository (id) on delete cascade,
    number bigint not null,
    title text not null,
    author text not null,
    state text not null check (state in ('open', 'closed', 'merged')),
    draft boolean not null,
    base_branch text not null,
    head_branch text not null,
    head_commit text not null,
    fork boolean not null,
    address text not null,
    opened_at bigint not null,
    updated_at bigint not null,
    comment_id bigint,
    comment_sent text,
    primary key (github_repository_id, number)
);

create index pull_request_of_branch on pull_request (github_repository_id, head_branch);

-- A maintainer let exactly this commit of a fork be planned.
create table fork_allowance (
    stack_id text not null references stack (id) on delete cascade,
    commit_hash text not null,
    allowed_by text not null,
    at bigint not null,
    primary key (stack_id, commit_hash)
);

-- The ledger of what GitHub sent. An id is GitHub's, and not signed: what was signed is the body, by its digest.
create table delivery (
    id text primary key not null,
    received_at bigint not null,
    event text not null,
    action text not null,
    repository text not null,
    digest text not null,
    -- Emptied when it has been kept long enough.
    body text not null,
    state text not null check (state in ('waiting', 'done', 'ignored', 'repeated', 'failed')),
    outcome text not null default '',
    stack_id text,
    run_id text,
    attempts bigint not null default 0,
    due_at bigint,
    ended_at bigint,
    repeats bigint not null default 0
);

create index delivery_waiting on delivery (due_at) where state = 'waiting';
create index delivery_by_time on delivery (received_at);
create unique index delivery_once on delivery (event, digest) where state in ('waiting', 'done', 'ignored');

-- What a commit's check on GitHub is about, and what GitHub was last told. It outlives its stack and its run, because
-- then GitHub must be told so.
create table github_check (
    id text primary key not null,
    stack_id text not null,
    stack_name text not null,
    github_repository_id bigint not null,
    commit_hash text not null,
    kind text not null check (kind in ('proposed', 'tracked', 'untouched', 'fork')),
    run_id text,
    check_run_id bigint,
    completed boolean not null default false,
    -- The digest of what GitHub shows; empty before the first time.
    sent text not null default '',
    refusal text,
    live boolean not null default true,
    problem text,
    created_at bigint not null
);

create unique index github_check_of_run on github_check (run_id) where run_id is not null;
create unique index github_check_of_commit on github_check (stack_id, commit_hash) where run_id is null;
create unique index github_check_on_github on github_check (check_run_id) where check_run_id is not null;
create index github_check_live on github_check (stack_id) where live;

create table github_deployment (
    run_id text primary key not null,
    stack_id text not null,
    github_repository_id bigint not null,
    deployment_id bigint,
    sent text not null default '',
    live boolean not null default true
);

create index github_deployment_live on github_deployment (stack_id) where live;

-- The outbox: the stacks whose checks GitHub has to be told about. A row is written in the transaction that changed the
-- stack, and goes when GitHub shows what follows from it.
create table github_outbox (
    stack_id text primary key not null,
    revision bigint not null default 1,
    attempts bigint not null default 0,
    due_at bigint not null,
    problem text
);
