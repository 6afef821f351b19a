//! What Git's messages mean: finds the line that tells why a repository cannot be read, and the remedy. Messages that
//! are not recognised are quoted.

use std::fmt;

/// Why a repository cannot be read where it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The host's name means nothing to the resolver.
    Host,
    /// Nothing answers.
    Connection,
    /// Credentials are missing or refused.
    Authentication,
    /// The host's SSH key is not known here, or another one.
    HostKey,
    /// The certificate is not trusted.
    Certificate,
    /// The host has no such repository, or hides it.
    NotFound,
    /// Something is there, but it is no Git repository.
    NotRepository,
    /// The server sends on to another address.
    Moved,
    /// The folder belongs to another user of this machine.
    Ownership,
    /// The repository lacks a part of its history.
    Shallow,
    /// The repository holds objects that Git's check refuses.
    Damaged,
    /// The disk is full.
    Disk,
    /// Anything else.
    Other,
}

/// What Git says of each branch that it leaves out because the repository is shallow. It calls that a success.
pub(super) const LEFT_OUT: &str = "shallow roots are not allowed to be updated";

/// What Git says when it fails, in the order in which to look.
const MARKS: [(&str, Cause); 40] = [
    ("No space left on device", Cause::Disk),
    (LEFT_OUT, Cause::Shallow),
    ("dubious ownership", Cause::Ownership),
    ("Could not resolve host", Cause::Host),
    ("Name or service not known", Cause::Host),
    ("Host key verification failed", Cause::HostKey),
    ("No ED25519 host key is known", Cause::HostKey),
    ("Permission denied (", Cause::Authentication),
    ("Authentication failed", Cause::Authentication),
    ("could not read Username", Cause::Authentication),
    ("could not read Password", Cause::Authentication),
    ("terminal prompts disabled", Cause::Authentication),
    ("Access denied", Cause::Authentication),
    ("returned error: 401", Cause::Authentication),
    ("returned error: 403", Cause::Authentication),
    ("certificate", Cause::Certificate),
    ("Could not resolve proxy", Cause::Connection),
    ("Failed to connect", Cause::Connection),
    ("Couldn't connect", Cause::Connection),
    ("Connection refused", Cause::Connection),
    ("Connection timed out", Cause::Connection),
    ("timed out", Cause::Connection),
    ("Connection reset", Cause::Connection),
    ("Network is unreachable", Cause::Connection),
    ("No route to host", Cause::Connection),
    ("Empty reply from server", Cause::Connection),
    ("returned error: 5", Cause::Connection),
    ("Repository not found", Cause::NotFound),
    ("returned error: 404", Cause::NotFound),
    ("' not found", Cause::NotFound),
    ("returned error: 3", Cause::Moved),
    ("url base from redirection", Cause::Moved),
    ("does not appear to be a git repository", Cause::NotRepository),
    ("not a git repository", Cause::NotRepository),
    ("invalid gitfile format", Cause::NotRepository),
    ("is this a git repository", Cause::NotRepository),
    ("mismatched algorithms", Cause::NotRepository),
    ("fsck error", Cause::Damaged),
    ("index-pack failed", Cause::Damaged),
    ("bad object", Cause::Damaged),
];

impl Cause {
    /// Reads what Git wrote: the cause, and the line that tells it, short and in one piece.
    pub(super) fn read(stderr: &str) -> (Self, String) {
        let marked = MARKS.iter().find_map(|(mark, cause)| {
            let line = stderr.lines().find(|line| line.contains(mark))?;
            Some((*cause, line))
        });
        let spoken = || {
            let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
            lines()
                .rfind(|line| line.starts_with("fatal:") || line.starts_with("error:"))
                .or_else(|| lines().next_back())
        };
        let (cause, line) = marked.unwrap_or_else(|| (Self::Other, spoken().unwrap_or("nothing")));
        (cause, shorten(line))
    }
}

/// Cuts a line of Git's to what fits into a sentence.
fn shorten(line: &str) -> String {
    let mut text = line.trim();
    for word in ["remote:", "warning:", "error:", "fatal:", "ERROR:"] {
        text = text.strip_prefix(word).unwrap_or(text).trim_start();
    }
    let clean: String = text.chars().filter(|character| !character.is_control()).take(200).collect();
    clean.trim_end_matches('.').to_owned()
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Host => "The repository's host cannot be found: check the spelling of the address",
            Self::Connection => {
                "The repository's host does not answer: check the address, and that this machine may connect to it"
            }
            Self::Authentication => {
                "The repository asks for credentials and refuses the ones it got, or it does not exist: check the \
                 address, and give credentials that may read it"
            }
            Self::HostKey => {
                "The host's SSH key is not the one known here: add it to the known_hosts file of the user that \
                 Headway runs as, or use an https:// address"
            }
            Self::Certificate => {
                "The host's certificate is not trusted: add its authority to this machine, or name it in SSL_CERT_FILE"
            }
            Self::NotFound => "There is no repository at this address, or the credentials may not see it",
            Self::NotRepository => "There is no Git repository at this address: check its path",
            Self::Moved => {
                "The server sends on to another address: use that one, often the same with https:// in front or .git at \
                 its end"
            }
            Self::Ownership => {
                "The repository's folder belongs to another user: give it to the user that Headway runs as, or use \
                 another address"
            }
            Self::Shallow => {
                "The repository is a shallow clone, which lacks a part of its history: run `git fetch --unshallow` in it, \
                 or use the address that it was cloned from"
            }
            Self::Damaged => "The repository holds objects that Git's check refuses: run `git fsck` in a clone of it",
            Self::Disk => "The disk that Headway keeps its copies on is full: make room on it",
            Self::Other => "The repository cannot be read",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Cause;

    #[test]
    fn the_telling_line_is_found() {
        for (stderr, cause, detail) in [
            (
                "fatal: unable to access 'https://nowhere.invalid/x/': Could not resolve host: nowhere.invalid\n",
                Cause::Host,
                "unable to access 'https://nowhere.invalid/x/': Could not resolve host: nowhere.invalid",
            ),
            (
                "git@github.com: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n\n\
                 Please make sure you have the correct access rights\nand the repository exists.\n",
                Cause::Authentication,
                "git@github.com: Permission denied (publickey)",
            ),
            (
                "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
                Cause::Authentication,
                "could not read Username for 'https://github.com': terminal prompts disabled",
            ),
            (
                "remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found\n",
                Cause::NotFound,
                "Repository not found",
            ),
            (
                "warning: rejected refs/heads/main because shallow roots are not allowed to be updated\n",
                Cause::Shallow,
                "rejected refs/heads/main because shallow roots are not allowed to be updated",
            ),
            (
                "fatal: invalid gitfile format: /srv/a.txt\nfatal: Could not read from remote repository.\n",
                Cause::NotRepository,
                "invalid gitfile format: /srv/a.txt",
            ),
            ("warning: x\nfatal: the sky fell\n\nand more\n", Cause::Other, "the sky fell"),
            ("", Cause::Other, "nothing"),
        ] {
            assert_eq!(Cause::read(stderr), (cause, detail.to_owned()));
        }
    }
}
