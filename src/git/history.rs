//! What the history in a mirror says: how commits relate, what one lacks of another, whether a branch reaches one.
//!
//! Every answer is exact whatever the commits' dates are, and the branches of one [`History`] are those of the moment it
//! was opened. What cannot be read is answered with "unknown", never with a guess.

use super::GitError;
use super::commits::{Commits, Place, Unread, open};
use super::walk::{Comparison, Side, reaches};
use crate::domain::log_line::is_bidirectional_control;
use crate::domain::relation::{Missing, Relation};
use crate::domain::{Commit, CommitHash, Timestamp};
use gix::ObjectId;
use gix::commitgraph::Graph;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// How long a subject or a name may be.
const LONGEST: usize = 200;

/// The history in one mirror.
pub struct History {
    folder: PathBuf,
    graph: Option<Graph>,
    heads: BTreeMap<String, ObjectId>,
}

impl fmt::Debug for History {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("History").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl History {
    /// Opens the mirror in a folder.
    pub(super) fn open(folder: PathBuf) -> Result<Self, GitError> {
        let unreadable = |error: gix::Error| GitError::Unreadable(error.to_string());
        let repository = open(&folder).map_err(unreadable)?;
        let mut heads = BTreeMap::new();
        for head in repository.references().map_err(unreadable)?.local_branches().map_err(unreadable)? {
            // One broken branch must not hide the others.
            let Ok(head) = head else { continue };
            if let Some(id) = head.try_id() {
                heads.insert(head.name().shorten().to_string(), id.detach());
            }
        }
        // Without a commit-graph, or with a damaged one, the same answers come from the objects, only slower.
        let graph = repository.commit_graph().ok();
        Ok(Self { folder, graph, heads })
    }

    /// How `commit` relates to the stack's current one.
    pub fn relation(&self, current: Option<&CommitHash>, commit: &CommitHash) -> Relation {
        let relation = match current {
            Some(current) if current == commit => Ok(Relation::Identical),
            Some(current) => self.compare(current, commit),
            None => self.commits().place(id(commit)).map(|_| Relation::First).map_err(|_| Unread),
        };
        relation.unwrap_or(Relation::Unknown)
    }

    /// What `of` has and `from` lacks; none when that cannot be told.
    pub fn missing(&self, of: &CommitHash, from: &CommitHash) -> Option<Missing> {
        let (mut commits, mut places) = (self.commits(), Vec::new());
        let (of, from) = (commits.place(id(of)).ok()?, commits.place(id(from)).ok()?);
        let mut comparison = Comparison::new(&commits, of, from).ok()?;
        while comparison.left_open() && places.len() <= Missing::COUNTED {
            if let (place, Side::Left) = comparison.next().ok()?? {
                places.push(place);
            }
        }
        self.name(&commits, &places).ok()
    }

    /// Whether any branch reaches the commit; the preferred one is looked at first. Pinned commits do not count.
    pub fn reachable_from_heads(&self, commit: &CommitHash, prefer_branch: Option<&str>) -> bool {
        let mut commits = self.commits();
        let Ok(target) = commits.place(id(commit)) else { return false };
        let preferred = prefer_branch.and_then(|branch| self.heads.get(branch));
        let starts: Vec<Place> =
            preferred.into_iter().chain(self.heads.values()).filter_map(|head| commits.place(*head).ok()).collect();
        reaches(&commits, &starts, target).unwrap_or(false)
    }

    /// The commit as people recognise it.
    pub fn commit(&self, hash: &CommitHash) -> Option<Commit> {
        let repository = open(&self.folder).ok()?;
        describe(&repository, id(hash)).ok()
    }

    /// The commit whose name begins so; none when there is no such commit, or more than one.
    pub fn find(&self, beginning: &str) -> Option<CommitHash> {
        let repository = open(&self.folder).ok()?;
        let prefix = gix::hash::Prefix::from_hex(beginning).ok()?;
        let object = repository.objects.lookup_prefix(prefix, None).ok()??.ok()?;
        let commit = repository.find_object(object).ok()?.try_into_commit().ok()?;
        Some(hash(commit.id))
    }

    /// A best common ancestor: one that no other common ancestor descends from.
    pub fn merge_base(&self, one: &CommitHash, other: &CommitHash) -> Option<CommitHash> {
        let mut commits = self.commits();
        let (one, other) = (commits.place(id(one)).ok()?, commits.place(id(other)).ok()?);
        if one == other {
            return commits.id(one).ok().map(hash);
        }
        let mut comparison = Comparison::new(&commits, one, other).ok()?;
        while let Some((place, side)) = comparison.next().ok()? {
            if side == Side::Both {
                return commits.id(place).ok().map(hash);
            }
        }
        None
    }

    /// Where a branch stands.
    pub fn head(&self, branch: &str) -> Option<CommitHash> {
        self.heads.get(branch).copied().map(hash)
    }

    /// Where all branches stand.
    pub fn heads(&self) -> BTreeMap<String, CommitHash> {
        self.heads.iter().map(|(branch, head)| (branch.clone(), hash(*head))).collect()
    }

    /// Whether a path is a folder of the commit, "" being its root; a link or a submodule is none. `None` when the
    /// commit cannot be read.
    pub(super) fn is_folder(&self, commit: &CommitHash, path: &str) -> Option<bool> {
        let repository = open(&self.folder).ok()?;
        let tree = repository.find_commit(id(commit)).ok()?.tree().ok()?;
        if path.is_empty() {
            return Some(true);
        }
        if path.split('/').any(|part| matches!(part, "" | "." | "..") || part.contains('\0')) {
            return Some(false);
        }
        let entry = tree.lookup_entry(path.split('/')).ok()?;
        Some(entry.is_some_and(|entry| entry.mode().is_tree()))
    }

    /// The commits for one question.
    pub(super) fn commits(&self) -> Commits<'_> {
        Commits::new(&self.folder, self.graph.as_ref())
    }

    fn compare(&self, current: &CommitHash, commit: &CommitHash) -> Result<Relation, Unread> {
        let mut commits = self.commits();
        let (current, commit) = (commits.place(id(current))?, commits.place(id(commit))?);
        let mut comparison = Comparison::new(&commits, current, commit)?;
        // The first of the places suffice to name and count; the numbers stay exact.
        let (mut places, mut lacks, mut has) = (Vec::new(), 0, 0);
        while comparison.left_open() || comparison.right_open() {
            let diverged = lacks > 0 && has > 0;
            if diverged && (lacks > Missing::COUNTED || !comparison.left_open()) {
                break;
            }
            match comparison.next()? {
                Some((place, Side::Left)) => {
                    lacks += 1;
                    if places.len() <= Missing::COUNTED {
                        places.push(place);
                    }
                }
                Some((_, Side::Right)) => has += 1,
                Some((_, Side::Both)) => {}
                None => break,
            }
        }
        Ok(match (lacks, has) {
            (0, 0) => Relation::Identical,
            (0, by) => Relation::Ahead { by },
            (by, 0) => Relation::Behind { by },
            _ => Relation::Diverged { missing: self.name(&commits, &places)? },
        })
    }

    /// Counts commits, and names the first.
    fn name(&self, commits: &Commits<'_>, places: &[Place]) -> Result<Missing, Unread> {
        let (count, capped) = (places.len().min(Missing::COUNTED), places.len() > Missing::COUNTED);
        if places.is_empty() {
            return Ok(Missing { count, capped, commits: Vec::new() });
        }
        let repository = open(&self.folder)?;
        let shown = places.iter().take(Missing::SHOWN);
        let named =
            shown.map(|place| Ok(describe(&repository, commits.id(*place)?)?)).collect::<Result<_, Unread>>()?;
        Ok(Missing { count, capped, commits: named })
    }
}

/// A text that is no commit's name becomes the null id, which names no object.
fn id(hash: &CommitHash) -> ObjectId {
    ObjectId::from_hex(hash.as_str().as_bytes()).unwrap_or_else(|_| ObjectId::null(gix::hash::Kind::Sha1))
}

fn hash(id: ObjectId) -> CommitHash {
    CommitHash::new(id.to_string())
}

fn describe(repository: &gix::Repository, id: ObjectId) -> gix::Result<Commit> {
    let commit = repository.find_commit(id)?;
    let decoded = commit.decode()?;
    let author = decoded.author().map(|author| author.name.to_string()).unwrap_or_default();
    let seconds = decoded.time().map(|time| time.seconds).unwrap_or_default();
    let message = decoded.message.to_string();
    let subject = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    Ok(Commit {
        hash: hash(id),
        subject: printable(subject),
        author: printable(&author),
        committed_at: Timestamp(seconds.saturating_mul(1000)),
    })
}

/// Leaves out what could rearrange a page or a terminal, and what is too much.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() && !is_bidirectional_control(*letter)).take(LONGEST).collect()
}
