-- The activity log says from where, and what was before and after; its entries form a chain, each with the hash of the
-- one before. Entries from before this are put into the chain when Headway starts, once; that entries are only ever added
-- is told to the database then as well, for triggers are written differently for each.

alter table activity add column origin text not null default '';
alter table activity add column differences text not null default '[]';
alter table activity add column number bigint;
alter table activity add column previous text;
alter table activity add column hash text;

create unique index activity_number on activity (number);
create unique index activity_follows on activity (previous);
drop index activity_of_stack;
create index activity_of_stack on activity (stack_id, number);
create index activity_of_actor on activity (actor, number);
create index activity_of_action on activity (action, number);
create index activity_by_outcome on activity (outcome, number);
create index activity_by_time on activity (at);

-- The end of the chain. Whoever adds an entry takes this row first, so that the chain cannot fork.
create table activity_head (
    one bigint primary key not null check (one = 1),
    number bigint not null,
    hash text not null
);

insert into activity_head (one, number, hash) values (1, 0, '');
