//! A repository as GitHub writes it, with all its addresses.

use super::user;
use crate::state::{Repository, World};
use serde_json::{Value, json};

/// The addresses that lie under a repository's own, with their placeholders.
const UNDER: [(&str, &str); 36] = [
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
];

/// A repository.
pub fn repository(world: &World, home: &str, repository: &Repository) -> Value {
    let name = repository.full_name();
    let api = format!("{home}/api/v3/repos/{name}");
    let mut value = json!({
        "id": repository.id, "node_id": format!("R_{}", repository.id), "name": repository.name, "full_name": name,
        "private": repository.private, "owner": user(world, home, &repository.owner),
        "html_url": format!("{home}/{name}"), "description": null, "fork": repository.fork_of.is_some(), "url": api,
        "created_at": repository.created_at, "updated_at": repository.pushed_at, "pushed_at": repository.pushed_at,
        "git_url": format!("git://simulated/{name}.git"), "ssh_url": format!("git@simulated:{name}.git"),
        "clone_url": format!("{home}/{name}.git"), "svn_url": format!("{home}/{name}"), "homepage": null, "size": 1,
        "stargazers_count": 0, "watchers_count": 0, "language": "HCL", "has_issues": true, "has_projects": true,
        "has_downloads": true, "has_wiki": false, "has_pages": false, "forks_count": 0, "mirror_url": null,
        "archived": false, "open_issues_count": 0, "license": null, "forks": 0, "open_issues": 0, "watchers": 0,
        "default_branch": repository.default_branch, "is_template": false, "web_commit_signoff_required": false,
        "topics": [], "visibility": if repository.private { "private" } else { "public" }, "custom_properties": {},
    });
    for (field, under) in UNDER {
        value[field] = format!("{api}{under}").into();
    }
    value
}
