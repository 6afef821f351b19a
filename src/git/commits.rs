//! The commits of a mirror as numbered places, each with its parents and its generation: one more than the largest of
//! its parents', whatever the dates are. Most come from the commit-graph file, which is mapped and not copied; those
//! that it does not have yet are read from the objects. An inconsistent commit-graph is noticed, not believed.

use gix::ObjectId;
use gix::commitgraph::{Graph, Position};
use std::collections::HashMap;
use std::path::Path;

/// A commit, by its position in the commit-graph or, after those, in the list of the commits read here.
pub(super) type Place = u32;

/// Some commit or file could not be read, or is none.
#[derive(Debug)]
pub(super) struct Unread;

impl From<gix::Error> for Unread {
    fn from(_: gix::Error) -> Self {
        Self
    }
}

/// A commit that the commit-graph does not have.
#[derive(Debug)]
struct Loose {
    id: ObjectId,
    generation: u32,
    parents: Vec<Place>,
}

/// The commits of one mirror, as far as one question needs them.
pub(super) struct Commits<'history> {
    folder: &'history Path,
    graph: Option<&'history Graph>,
    known: u32,
    repository: Option<gix::Repository>,
    loose: Vec<Loose>,
    places: HashMap<ObjectId, Place>,
}

/// Opens a mirror for reading, without any configuration but its own.
pub(super) fn open(folder: &Path) -> gix::Result<gix::Repository> {
    let options = gix::open::Options::isolated().open_path_as_is(true).with(gix::sec::Trust::Full);
    let mut repository = gix::open_opts(folder, options)?;
    repository.object_cache_size_if_unset(4 * 1024 * 1024);
    Ok(repository)
}

impl<'history> Commits<'history> {
    /// Begins a question.
    pub fn new(folder: &'history Path, graph: Option<&'history Graph>) -> Self {
        let known = graph.map_or(0, Graph::num_commits);
        Self { folder, graph, known, repository: None, loose: Vec::new(), places: HashMap::new() }
    }

    /// How many places there are by now.
    pub fn len(&self) -> usize {
        self.known as usize + self.loose.len()
    }

    /// Whether the commit-graph has it; then it has all its ancestors, too.
    pub fn indexed(&self, place: Place) -> bool {
        place < self.known
    }

    /// The place of a commit, after reading whatever the commit-graph lacks of its history.
    pub fn place(&mut self, id: ObjectId) -> Result<Place, Unread> {
        let mut unfinished: Vec<(ObjectId, Vec<ObjectId>)> = Vec::new();
        let mut next = Some(id).filter(|id| self.find(*id).is_none());
        // Parents come before their children, so that a child's generation can be told; a stack of its own, because
        // histories are deeper than a thread's.
        loop {
            if let Some(unread) = next {
                unfinished.push((unread, self.read_parents(unread)?));
            }
            let Some((_, parents)) = unfinished.last() else { break };
            next = parents.iter().copied().find(|parent| self.find(*parent).is_none());
            if next.is_none()
                && let Some((id, parents)) = unfinished.pop()
            {
                self.add(id, &parents)?;
            }
        }
        self.find(id).ok_or(Unread)
    }

    /// The name of the commit.
    pub fn id(&self, place: Place) -> Result<ObjectId, Unread> {
        match self.graph.filter(|_| self.indexed(place)) {
            Some(graph) => Ok(graph.id_at(Position(place)).to_owned()),
            None => self.loose(place).map(|loose| loose.id),
        }
    }

    /// One more than the largest generation of its parents; a commit without parents has 1.
    pub fn generation(&self, place: Place) -> Result<u32, Unread> {
        let generation = match self.graph.filter(|_| self.indexed(place)) {
            Some(graph) => graph.commit_at(Position(place)).generation(),
            None => self.loose(place)?.generation,
        };
        // Very old versions of Git wrote commit-graphs without generations.
        if generation == 0 { Err(Unread) } else { Ok(generation) }
    }

    /// Reads the parents into `parents`, the first one first.
    pub fn parents(&self, place: Place, parents: &mut Vec<Place>) -> Result<(), Unread> {
        parents.clear();
        let generation = self.generation(place)?;
        match self.graph.filter(|_| self.indexed(place)) {
            Some(graph) => {
                for parent in graph.commit_at(Position(place)).iter_parents() {
                    parents.push(parent?.0);
                }
            }
            None => parents.extend(&self.loose(place)?.parents),
        }
        // Every walk relies on this; a damaged commit-graph must not make it give a wrong answer.
        for parent in parents.iter() {
            if self.generation(*parent)? >= generation {
                return Err(Unread);
            }
        }
        Ok(())
    }

    fn loose(&self, place: Place) -> Result<&Loose, Unread> {
        let index = place.checked_sub(self.known).ok_or(Unread)?;
        self.loose.get(index as usize).ok_or(Unread)
    }

    fn find(&self, id: ObjectId) -> Option<Place> {
        let indexed = self.graph.and_then(|graph| graph.lookup(id)).map(|position| position.0);
        indexed.or_else(|| self.places.get(&id).copied())
    }

    fn add(&mut self, id: ObjectId, parents: &[ObjectId]) -> Result<(), Unread> {
        let parents: Vec<_> =
            parents.iter().map(|parent| self.find(*parent).ok_or(Unread)).collect::<Result<_, _>>()?;
        let mut generation = 0;
        for parent in &parents {
            generation = generation.max(self.generation(*parent)?);
        }
        let place = u32::try_from(self.len()).map_err(|_| Unread)?;
        self.loose.push(Loose { id, generation: generation + 1, parents });
        self.places.insert(id, place);
        Ok(())
    }

    fn read_parents(&mut self, id: ObjectId) -> Result<Vec<ObjectId>, Unread> {
        let repository = match self.repository.take() {
            Some(repository) => repository,
            None => open(self.folder)?,
        };
        let repository = self.repository.insert(repository);
        let commit = repository.find_commit(id)?;
        let decoded = commit.decode()?;
        Ok(decoded.parents().collect())
    }
}
