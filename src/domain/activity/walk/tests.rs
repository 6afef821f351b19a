//! The chain of the activity log: whatever is done to it is found, and where.

use super::*;
use crate::domain::activity::{Detail, Entry, Outcome};
use crate::domain::difference::Differences;
use crate::domain::{RunId, StackId, Timestamp};
use proptest::prelude::*;

fn entry(number: usize, text: &str) -> Entry {
    Entry {
        id: format!("{number:026}"),
        at: Timestamp(1_800_000_000_000),
        actor: text.into(),
        origin: "192.0.2.1".into(),
        action: "promote".into(),
        stack_id: number.is_multiple_of(2).then(|| StackId::new("network")),
        run_id: number.is_multiple_of(3).then(|| RunId::new("R")),
        outcome: Outcome::Done,
        detail: text.into(),
        differences: Differences::default().and("Name", "", text),
    }
}

fn chain(entries: impl IntoIterator<Item = Entry>) -> Vec<Link> {
    let mut head = Head::default();
    entries.into_iter().map(|entry| head.append(entry)).collect()
}

fn head(chain: &[Link]) -> Head {
    chain.last().map_or_else(Head::default, |last| Head { number: last.number, hash: last.hash.clone() })
}

fn verify(chain: &[Link], known: Option<&Head>) -> Result<Head, Misfit> {
    let mut walk = Walk::behind(Head::default(), None);
    for link in chain {
        walk.step(link)?;
    }
    walk.end(known)
}

fn three() -> Vec<Link> {
    chain((0..3).map(|number| entry(number, "a")))
}

#[test]
fn a_chain_verifies_and_an_empty_one_too() {
    assert_eq!(verify(&[], Some(&Head::default())), Ok(Head::default()));
    assert_eq!(verify(&three(), Some(&head(&three()))), Ok(head(&three())));
}

#[test]
fn each_kind_of_tampering_is_called_by_its_name() {
    let whole = three();
    let known = head(&whole);
    let misfit = |change: fn(&mut Vec<Link>)| {
        let mut chain = whole.clone();
        change(&mut chain);
        verify(&chain, Some(&known)).unwrap_err()
    };
    assert_eq!(misfit(|chain| chain[1].entry.detail = "b".into()), Misfit::Changed { number: 2 });
    assert_eq!(misfit(|chain| drop(chain.remove(1))), Misfit::Missing { from: 2, to: 2 });
    assert_eq!(misfit(|chain| drop(chain.drain(..2))), Misfit::Missing { from: 1, to: 2 });
    assert_eq!(misfit(|chain| drop(chain.pop())), Misfit::CutOff { found: 2, expected: 3 });
    assert_eq!(misfit(|chain| chain.push(chain[0].clone())), Misfit::Misplaced { number: 1, expected: 4 });
    let exchanged = misfit(|chain| chain[1] = Link::new(2, chain[0].hash.clone(), entry(9, "b")));
    assert_eq!(exchanged, Misfit::Detached { number: 3 });
    let added = misfit(|chain| chain.push(Link::new(4, chain[2].hash.clone(), entry(9, "b"))));
    assert_eq!(added, Misfit::OtherHead);
}

#[test]
fn a_head_that_was_noted_must_still_be_met() {
    let whole = three();
    let walk = |noted: &str| {
        let mut walk = Walk::behind(Head::default(), Some(noted.to_owned()));
        whole.iter().for_each(|link| walk.step(link).unwrap());
        walk.end(None)
    };
    assert_eq!(walk(&whole[1].hash), Ok(head(&whole)));
    assert_eq!(walk("abc"), Err(Misfit::UnknownHead { hash: "abc".into() }));
    // A log that was written anew verifies by itself, but does not have the head that was noted.
    let anew = chain((0..5).map(|number| entry(number, "b")));
    assert!(verify(&anew, Some(&head(&anew))).is_ok());
    assert!(!anew.iter().any(|link| link.hash == whole[2].hash));
}

#[test]
fn a_chain_whose_beginning_was_cut_off_verifies_when_it_tells_of_that() {
    let mut chain = three();
    let cut = head(&chain[..2]);
    let mut end = head(&chain);
    let Detail { sentence, differences } = cut::tell(&Head::default(), &cut, 30);
    let told =
        Entry { actor: "Headway".into(), action: cut::CUT.into(), detail: sentence, differences, ..entry(4, "") };
    assert_eq!(cut::read(&told), Some(cut.clone()));
    let untold = chain.clone();
    chain.push(end.append(told.clone()));
    let walk = |chain: &[Link], begun: &Head, noted: Option<&str>| {
        let mut walk = Walk::behind(begun.clone(), noted.map(str::to_owned));
        chain.iter().try_for_each(|link| walk.step(link))?;
        assert_eq!(walk.count(), i64::try_from(chain.len()).unwrap());
        walk.end(None)
    };
    assert_eq!(walk(&chain[2..], &cut, None), Ok(end.clone()));
    assert_eq!(walk(&chain[2..], &cut, Some(&cut.hash)), Ok(end.clone()));
    assert!(matches!(walk(&chain[2..], &cut, Some(&chain[0].hash)), Err(Misfit::UnknownHead { .. })));
    assert_eq!(walk(&chain, &Head::default(), None), Ok(end), "an older export is whole");
    // One entry more or less, and it is not what was told.
    let more = Head { number: 3, hash: chain[2].hash.clone() };
    assert_eq!(walk(&chain[3..], &more, None), Err(Misfit::Untold { to: 3 }));
    assert_eq!(walk(&untold[2..], &cut, None), Err(Misfit::Untold { to: 2 }));
    // Nobody else tells of it.
    for other in [Entry { actor: "eve".into(), ..told.clone() }, Entry { outcome: Outcome::Refused, ..told }] {
        assert_eq!(cut::read(&other), None);
    }
}

/// Something that is done to one field of one entry.
fn alter(link: &mut Link, field: u8, text: &str) {
    let entry = &mut link.entry;
    match field {
        0 => entry.id.push_str(text),
        1 => entry.at = entry.at.plus(1),
        2 => entry.actor.push_str(text),
        3 => entry.origin.push_str(text),
        4 => entry.action.push_str(text),
        5 => entry.stack_id = if entry.stack_id.is_none() { Some(StackId::new(text)) } else { None },
        6 => entry.run_id = if entry.run_id.is_none() { Some(RunId::new(text)) } else { None },
        7 => entry.outcome = Outcome::Refused,
        8 => entry.detail.push_str(text),
        9 => entry.differences = entry.differences.clone().and("More", "", text),
        10 => link.number += 1,
        11 => link.previous.push('0'),
        _ => link.hash.push('0'),
    }
}

proptest! {
    #[test]
    fn whatever_is_done_to_a_chain_is_found(
        texts in prop::collection::vec("\\PC{0,12}", 2..20),
        place in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        field in 0..13_u8,
        text in "\\PC{1,8}",
        deed in 0..4_u8,
    ) {
        let whole = chain(texts.iter().enumerate().map(|(number, text)| entry(number, text)));
        let known = head(&whole);
        prop_assert_eq!(verify(&whole, Some(&known)), Ok(known.clone()));
        let read: Vec<Link> = whole.iter().map(|link| Link::parse(&link.line()).unwrap()).collect();
        prop_assert_eq!(&read, &whole);

        let mut chain = whole.clone();
        let place = place.index(chain.len());
        let other = other.index(chain.len());
        match deed {
            0 => alter(&mut chain[place], field, &text),
            1 => drop(chain.remove(place)),
            2 => chain.swap(place, other),
            _ => {
                let previous = if place == 0 { String::new() } else { chain[place - 1].hash.clone() };
                chain.insert(place, Link::new(chain[place].number, previous, entry(99, &text)));
            }
        }
        prop_assume!(chain != whole);
        prop_assert!(verify(&chain, Some(&known)).is_err());
    }
}
