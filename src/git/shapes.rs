//! Histories of every shape, at random: several roots, octopus and criss-cross merges, equal and backward dates, with a
//! commit-graph that is missing, whole, split or behind. What [`History`] says of them is what Git itself says, and what
//! plain reachability says of every pair.

use super::history::History;
use super::walk::{Comparison, Side, reaches};
use crate::domain::CommitHash;
use crate::domain::relation::{Missing, Relation};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Which commits the commit-graph has.
#[derive(Clone, Copy, Debug)]
enum Graph {
    None,
    Whole,
    Split,
    Half,
}

/// A history: the parents and the date of each commit; parents come before children.
#[derive(Clone, Debug)]
struct Shape {
    commits: Vec<(BTreeSet<usize>, u32)>,
    graph: Graph,
    pairs: Vec<(prop::sample::Index, prop::sample::Index)>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let date = prop_oneof![Just(1_000_000), 0..2_000_000_u32];
    let parents = prop_oneof![
        1 => Just(Vec::new()),
        8 => prop::collection::vec(1..4_usize, 1),
        4 => prop::collection::vec(1..8_usize, 2),
        1 => prop::collection::vec(1..40_usize, 3..5),
    ];
    let commits = prop::collection::vec((parents, date), 1..40).prop_map(|commits| {
        let absolute = |(index, (parents, date)): (usize, (Vec<usize>, u32))| {
            (parents.iter().filter_map(|back| index.checked_sub(*back)).collect(), date)
        };
        commits.into_iter().enumerate().map(absolute).collect()
    });
    let graph = prop_oneof![Just(Graph::None), Just(Graph::Whole), Just(Graph::Split), Just(Graph::Half)];
    let pairs = prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 4);
    (commits, graph, pairs).prop_map(|(commits, graph, pairs)| Shape { commits, graph, pairs })
}

fn git(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("git").arg("--git-dir").arg(folder).args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

fn import(folder: &Path, from: usize, commits: &[(BTreeSet<usize>, u32)]) {
    let mut stream = String::new();
    for (index, (parents, date)) in commits.iter().enumerate().skip(from) {
        writeln!(stream, "commit refs/heads/b{index}\nmark :{}", index + 1).unwrap();
        writeln!(stream, "committer A <a@b> {date} +0000\ndata <<.\nc{index}\n.").unwrap();
        for (number, parent) in parents.iter().enumerate() {
            let word = if number == 0 { "from" } else { "merge" };
            writeln!(stream, "{word} :{}", parent + 1).unwrap();
        }
    }
    let marks = folder.join("marks");
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(folder).args(["fast-import", "--quiet"]);
    command.arg(format!("--import-marks-if-exists={}", marks.display()));
    let mut child = command.arg(format!("--export-marks={}", marks.display())).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn build(folder: &Path, shape: &Shape) -> Vec<CommitHash> {
    git(folder, &["init", "--quiet", "--bare"]);
    let half = shape.commits.len() / 2;
    import(folder, 0, &shape.commits[..half]);
    let write = ["commit-graph", "write", "--reachable"];
    match shape.graph {
        Graph::Half if half > 0 => assert!(git(folder, &write).0),
        Graph::Split if half > 0 => assert!(git(folder, &[&write[..], &["--split=no-merge"]].concat()).0),
        Graph::None | Graph::Whole | Graph::Half | Graph::Split => {}
    }
    import(folder, half, &shape.commits);
    match shape.graph {
        Graph::Whole => assert!(git(folder, &write).0),
        Graph::Split => assert!(git(folder, &[&write[..], &["--split=no-merge"]].concat()).0),
        Graph::None | Graph::Half => {}
    }
    let hash = |index: usize| git(folder, &["rev-parse", &format!("refs/heads/b{index}")]).1;
    let marks = std::fs::read_to_string(folder.join("marks")).unwrap();
    let mut hashes: Vec<_> = marks.lines().map(|line| line.split_once(' ').unwrap()).collect();
    hashes.sort_by_key(|(mark, _)| mark[1..].parse::<usize>().unwrap());
    let hashes: Vec<_> = hashes.iter().map(|(_, hash)| CommitHash::parse(hash).unwrap()).collect();
    assert_eq!(hash(0), hashes[0].as_str());
    hashes
}

/// Which commits each commit reaches, itself included.
fn reachability(shape: &Shape) -> Vec<BTreeSet<usize>> {
    let mut all: Vec<BTreeSet<usize>> = Vec::new();
    for (index, (parents, _)) in shape.commits.iter().enumerate() {
        let reached = parents.iter().flat_map(|parent| all[*parent].clone()).chain([index]).collect();
        all.push(reached);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn history_says_what_git_says(shape in shape()) {
        let folder = tempfile::tempdir().unwrap();
        let hashes = build(folder.path(), &shape);
        let history = History::open(folder.path().to_owned()).unwrap();
        let reach = reachability(&shape);

        let mut commits = history.commits();
        let id = |hash: &CommitHash| gix::ObjectId::from_hex(hash.as_str().as_bytes()).unwrap();
        let places: Vec<_> = hashes.iter().map(|hash| commits.place(id(hash)).unwrap()).collect();
        for one in 0..hashes.len() {
            for two in 0..hashes.len() {
                let mut comparison = Comparison::new(&commits, places[one], places[two]).unwrap();
                let (mut left, mut right) = (BTreeSet::new(), BTreeSet::new());
                while comparison.left_open() || comparison.right_open() {
                    let (place, side) = comparison.next().unwrap().unwrap();
                    let index = places.iter().position(|known| *known == place).unwrap();
                    match side {
                        Side::Left => prop_assert!(left.insert(index)),
                        Side::Right => prop_assert!(right.insert(index)),
                        Side::Both => {}
                    }
                }
                prop_assert_eq!(left, &reach[one] - &reach[two]);
                prop_assert_eq!(right, &reach[two] - &reach[one]);
                prop_assert_eq!(reaches(&commits, &[places[one]], places[two]).unwrap(), reach[one].contains(&two));
            }
        }
        for (one, two) in &shape.pairs {
            let (a, b) = (one.get(&hashes), two.get(&hashes));
            let (is_ancestor, _) = git(folder.path(), &["merge-base", "--is-ancestor", a.as_str(), b.as_str()]);
            let (is_descendant, _) = git(folder.path(), &["merge-base", "--is-ancestor", b.as_str(), a.as_str()]);
            let place = |hash: &CommitHash| hashes.iter().position(|known| known == hash).unwrap();
            let (_, bases) = git(folder.path(), &["merge-base", "--all", a.as_str(), b.as_str()]);
            let lacks = history.missing(a, b).unwrap();
            // `git rev-list` is no measure here: it goes by dates and gives up too soon where they are skewed.
            let lacking: BTreeSet<_> = &reach[place(a)] - &reach[place(b)];
            let count = (&reach[place(b)] - &reach[place(a)]).len();
            let lacking: BTreeSet<_> = lacking.into_iter().map(|index| hashes[index].as_str()).collect();
            let named: BTreeSet<_> = lacks.commits.iter().map(|commit| commit.hash.as_str()).collect();
            prop_assert_eq!((lacks.count, lacks.capped), (lacking.len(), false));
            prop_assert_eq!((named.len(), lacks.commits.len()), (lacking.len().min(10), lacking.len().min(10)));
            prop_assert!(named.is_subset(&lacking));
            let relation = history.relation(Some(a), b);
            match &relation {
                Relation::Identical => prop_assert_eq!(a, b),
                Relation::Ahead { by } => prop_assert_eq!(*by, count),
                Relation::Behind { by } => prop_assert_eq!(*by, lacking.len()),
                Relation::Diverged { missing } => prop_assert_eq!(missing, &lacks),
                Relation::First | Relation::Unknown => prop_assert!(false, "{:?}", relation),
            }
            prop_assert_eq!(is_ancestor && !is_descendant, matches!(relation, Relation::Ahead { .. }));
            prop_assert_eq!(!is_ancestor && is_descendant, matches!(relation, Relation::Behind { .. }));
            prop_assert_eq!(is_ancestor && is_descendant, matches!(relation, Relation::Identical));
            match history.merge_base(a, b) {
                Some(base) => prop_assert!(bases.lines().any(|line| line == base.as_str())),
                None => prop_assert!(bases.is_empty()),
            }
        }
    }

    #[test]
    fn only_branches_make_a_commit_reachable(shape in shape(), kept in prop::collection::vec(any::<bool>(), 40)) {
        let folder = tempfile::tempdir().unwrap();
        let hashes = build(folder.path(), &shape);
        let mut stream = String::new();
        for (index, hash) in hashes.iter().enumerate() {
            writeln!(stream, "create refs/headway/pinned/{hash} {hash}").unwrap();
            if !kept[index] {
                writeln!(stream, "delete refs/heads/b{index}").unwrap();
            }
        }
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(folder.path()).args(["update-ref", "--stdin"]).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), stream.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        let history = History::open(folder.path().to_owned()).unwrap();
        let reach = reachability(&shape);
        for (index, hash) in hashes.iter().enumerate() {
            let expected = (0..hashes.len()).any(|head| kept[head] && reach[head].contains(&index));
            for preferred in [None, Some("b0"), Some("nowhere"), Some(format!("b{index}").as_str())] {
                prop_assert_eq!(history.reachable_from_heads(hash, preferred), expected);
            }
        }
    }
}

#[test]
fn counting_is_given_up_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let line =
        |roots: u32, length: usize| (0..length).map(move |index| (BTreeSet::from_iter(index.checked_sub(1)), roots));
    let mut commits: Vec<_> = line(0, 1100).collect();
    commits.push((BTreeSet::new(), 7));
    commits.push((BTreeSet::from([999]), 7));
    let shape = Shape { commits, graph: Graph::Half, pairs: Vec::new() };
    let hashes = build(folder.path(), &shape);
    let history = History::open(folder.path().to_owned()).unwrap();
    let (root, tip, other, branch) = (&hashes[0], &hashes[1099], &hashes[1100], &hashes[1101]);
    assert_eq!(history.relation(Some(root), tip), Relation::Ahead { by: 1099 });
    assert_eq!(history.relation(Some(tip), root), Relation::Behind { by: 1099 });
    let relation = history.relation(Some(tip), other);
    let newest = |missing: &Missing| missing.commits.first().map(|commit| commit.subject.clone());
    assert!(matches!(&relation, Relation::Diverged { missing }
        if (missing.count, missing.capped, missing.commits.len()) == (1000, true, 10)
            && newest(missing) == Some("c1099".into())));
    let missing = history.missing(tip, branch).unwrap();
    assert_eq!((missing.count, missing.capped, newest(&missing)), (100, false, Some("c1099".into())));
    let missing = history.missing(&hashes[999], other).unwrap();
    assert_eq!((missing.count, missing.capped), (1000, false));
}

#[test]
fn what_is_not_there_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape { commits: vec![(BTreeSet::new(), 5)], graph: Graph::None, pairs: Vec::new() };
    let hashes = build(folder.path(), &shape);
    let history = History::open(folder.path().to_owned()).unwrap();
    let (there, gone, tree) = (&hashes[0], CommitHash::new("1".repeat(40)), git(folder.path(), &["write-tree"]).1);
    for absent in [&gone, &CommitHash::new(tree), &CommitHash::new("--help"), &CommitHash::new("")] {
        assert_eq!(history.relation(Some(there), absent), Relation::Unknown);
        assert_eq!(history.relation(Some(absent), there), Relation::Unknown);
        assert_eq!(history.relation(None, absent), Relation::Unknown);
        assert_eq!(history.missing(absent, there), None);
        assert_eq!(history.commit(absent), None);
        assert!(!history.reachable_from_heads(absent, None));
    }
    assert_eq!(history.relation(None, there), Relation::First);
    assert_eq!(history.commit(there).map(|commit| commit.committed_at.0), Some(5000));
    fn travels<Anything: Send + Sync>(_: &Anything) {}
    travels(&history);
}
