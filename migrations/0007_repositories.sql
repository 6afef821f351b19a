-- The runs of a fork's pull request stand under a name that no branch can have: a branch of the repository may well be
-- called pull/17/head.

update run set branch = 'pull request ' || substr(branch, 6, length(branch) - 10)
where branch like 'pull/%/head' and exists (
    select 1 from fork_allowance
    where fork_allowance.stack_id = run.stack_id and fork_allowance.commit_hash = run.commit_hash);

-- A repository that no stack uses goes a day after somebody last added it.
alter table repository add column added_at bigint not null default 0;
