//! Actors: who or what did something. The name that the activity log keeps says which kind it is, so the kind is not kept.

/// What kind of actor a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// Somebody who signed in: `ada`.
    Person,
    /// A script: `token/NAME`.
    Token,
    /// Somebody who clicked on GitHub: `github/LOGIN`.
    Github,
    /// The Terraform of a run, which asks for its state: `run/ID`.
    Run,
    /// `Headway` itself.
    Headway,
    /// Somebody of whom nobody knows who they are; they have no name.
    Stranger,
}

impl ActorKind {
    /// Every kind, as a form offers them.
    pub const ALL: [Self; 6] = [Self::Person, Self::Token, Self::Github, Self::Run, Self::Headway, Self::Stranger];

    /// The kind of the actor with this name.
    pub fn of(name: &str) -> Self {
        match name.split_once('/') {
            Some(("token", _)) => Self::Token,
            Some(("github", _)) => Self::Github,
            Some(("run", _)) => Self::Run,
            Some(_) | None => match name {
                "" => Self::Stranger,
                "Headway" => Self::Headway,
                _ => Self::Person,
            },
        }
    }

    /// The word for it in an address.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Token => "token",
            Self::Github => "github",
            Self::Run => "run",
            Self::Headway => "headway",
            Self::Stranger => "stranger",
        }
    }

    /// The word for it on a page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Person => "People",
            Self::Token => "Tokens",
            Self::Github => "People on GitHub",
            Self::Run => "Runs",
            Self::Headway => "Headway itself",
            Self::Stranger => "Nobody known",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::ActorKind;

    #[test]
    fn every_name_is_of_one_kind() {
        for (name, kind) in [
            ("ada", ActorKind::Person),
            ("ada/lovelace", ActorKind::Person),
            ("token", ActorKind::Person),
            ("headway", ActorKind::Person),
            ("token/nightly", ActorKind::Token),
            ("github/ada", ActorKind::Github),
            ("run/01K", ActorKind::Run),
            ("Headway", ActorKind::Headway),
            ("", ActorKind::Stranger),
        ] {
            assert_eq!(ActorKind::of(name), kind, "{name}");
        }
        assert!(ActorKind::ALL.into_iter().all(|kind| ActorKind::parse(kind.name()) == Some(kind)));
        assert_eq!(ActorKind::parse("People"), None);
    }
}
