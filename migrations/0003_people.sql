-- People, what they may do, and how they prove who they are. What proves it is kept as a hash, or sealed.

create table person (
    id text primary key not null,
    -- The name they act under; never changed, and never given to somebody else, because the log speaks of it.
    name text not null,
    -- An argon2id hash with its salt and cost; none for somebody who signs in in another way only.
    password text,
    github_id bigint,
    github_login text,
    openid_issuer text,
    openid_subject text,
    disabled boolean not null default false,
    created_at bigint not null,
    seen_at bigint,
    constraint person_github_unique unique (github_id),
    constraint person_openid_unique unique (openid_issuer, openid_subject)
);

create unique index person_name_unique on person (lower(name));

-- Groups are names. Those that a provider told of are replaced at every sign-in, those that were entered here stay.
create table membership (
    person_id text not null references person (id) on delete cascade,
    group_name text not null,
    source text not null check (source in ('here', 'openid')),
    primary key (person_id, group_name, source)
);

-- A role for a person or for a group, on one stack or in the whole.
create table grant_of_role (
    id text primary key not null,
    person_id text references person (id) on delete cascade,
    group_name text,
    stack_id text references stack (id) on delete cascade,
    role text not null check (role in ('reader', 'writer', 'administrator')),
    constraint grant_of_one check ((person_id is null) <> (group_name is null))
);

create unique index grant_person_whole on grant_of_role (person_id) where person_id is not null and stack_id is null;
create unique index grant_person_stack on grant_of_role (person_id, stack_id)
    where person_id is not null and stack_id is not null;
create unique index grant_group_whole on grant_of_role (group_name) where group_name is not null and stack_id is null;
create unique index grant_group_stack on grant_of_role (group_name, stack_id)
    where group_name is not null and stack_id is not null;

-- Names of things of which only the SHA-256 is kept.
create table session (
    token_hash text primary key not null,
    id text not null,
    person_id text not null references person (id) on delete cascade,
    created_at bigint not null,
    seen_at bigint not null,
    came_from text not null,
    browser text not null,
    constraint session_id_unique unique (id)
);

create index session_of_person on session (person_id, seen_at);

create table invitation (
    token_hash text primary key not null,
    -- None for the first administrator, who is not known yet.
    person_id text references person (id) on delete cascade,
    expires_at bigint not null
);

create table access_token (
    id text primary key not null,
    name text not null,
    token_hash text not null,
    person_id text not null references person (id) on delete cascade,
    role text not null check (role in ('reader', 'writer', 'administrator')),
    stack_id text references stack (id) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint,
    constraint access_token_name_unique unique (name),
    constraint access_token_hash_unique unique (token_hash)
);

-- How people sign in: one row.
create table sign_in (
    id bigint primary key not null check (id = 1),
    passwords boolean not null default true,
    github boolean not null default false,
    openid_name text not null default '',
    openid_issuer text not null default '',
    openid_client_id text not null default '',
    -- A sealed text.
    openid_client_secret text,
    openid_groups_claim text not null default 'groups'
);
