//! Where the vault's keys come from: a file that only Headway's user may read, made at the first start, or the
//! environment.
//!
//! While keys are rotated there are two, and whenever that is cut off, both are still there.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The variable that holds the key, when no file does.
pub const VARIABLE: &str = "HEADWAY_KEY";

/// The variable that holds the key that is to take its place.
pub const NEXT_VARIABLE: &str = "HEADWAY_NEXT_KEY";

/// A key; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key")
    }
}

impl Key {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A new one.
    pub fn random() -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Ok(Self(key))
    }

    /// As the environment holds it: base64.
    pub fn encode(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(self.0)
    }

    /// Reads what [`Key::encode`] writes; either alphabet, padded or not.
    fn decode(text: &str) -> Option<Self> {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let text = text.trim();
        let decoded =
            [STANDARD, URL_SAFE].iter().find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())?;
        Some(Self(decoded.try_into().ok()?))
    }
}

/// The keys that the environment gives.
#[derive(Clone, Debug, Default)]
pub struct Given {
    present: Option<Key>,
    next: Option<Key>,
}

impl Given {
    /// Reads them; an empty variable is none.
    pub fn from_environment() -> Result<Self, KeyError> {
        Ok(Self { present: variable(VARIABLE)?, next: variable(NEXT_VARIABLE)? })
    }

    /// Whether the environment gives the key.
    pub fn has_key(&self) -> bool {
        self.present.is_some()
    }
}

fn variable(name: &'static str) -> Result<Option<Key>, KeyError> {
    match std::env::var_os(name) {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => text.to_str().and_then(Key::decode).map(Some).ok_or(KeyError::Variable(name)),
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A variable holds something else.
    #[error("{0} must hold 32 bytes in base64. Make a key with: headway keys new")]
    Variable(&'static str),
    /// The file holds something else.
    #[error("the key file {0} does not hold 32 bytes. Bring the right one back")]
    Damaged(PathBuf),
    /// Others may read the file.
    #[error("the key file {file} may be read by others (mode {mode:03o}). Run: chmod 600 {file}")]
    Open {
        /// Where it is.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is gone, although texts were sealed with it.
    #[error(
        "the key file {0} is gone, and the database holds texts that were sealed with it. Bring it back, or give the key \
         in {VARIABLE}"
    )]
    Gone(PathBuf),
    /// The environment holds the key, but not the one that is to take its place.
    #[error(
        "the key comes from {VARIABLE}, so the new one must come from {NEXT_VARIABLE}. Make one with: headway keys new"
    )]
    NoNext,
    /// The new key is the old one.
    #[error("{NEXT_VARIABLE} holds the present key. Make another one with: headway keys new")]
    Same,
    /// The environment gives a new key in the middle of a rotation to another one.
    #[error("a rotation to the key in {0} was begun. End it without {NEXT_VARIABLE}, then rotate once more")]
    Begun(PathBuf),
    /// The file system says no.
    #[error("the key file {file}: {error}")]
    File {
        /// Where it is.
        file: PathBuf,
        /// What it says.
        error: io::Error,
    },
}

/// The present key, and the next one while keys are rotated.
#[derive(Clone, Debug)]
pub struct Keys {
    file: PathBuf,
    present: Key,
    next: Option<Key>,
    /// Whether the present key is the one in the file.
    filed: bool,
}

impl Keys {
    /// Finds the keys: in the environment, or else in the file, which is made when `create` says so.
    pub fn open(file: &Path, given: &Given, create: bool) -> Result<Self, KeyError> {
        let filed = given.present.is_none();
        let present = match &given.present {
            Some(key) => key.clone(),
            None => match read(file)? {
                Some(key) => key,
                None if create => {
                    let key = Key::random().map_err(at(file))?;
                    write_new(file, &key).map_err(at(file))?;
                    key
                }
                None => return Err(KeyError::Gone(file.to_owned())),
            },
        };
        let next = match &given.next {
            Some(_) if filed && beside(file).exists() => return Err(KeyError::Begun(beside(file))),
            Some(next) => Some(next.clone()),
            None if filed => read(&beside(file))?,
            None => None,
        };
        if next.as_ref() == Some(&present) && given.next.is_some() {
            return Err(KeyError::Same);
        }
        Ok(Self { file: file.to_owned(), present, next, filed })
    }

    /// The key that seals.
    pub fn present(&self) -> &Key {
        &self.present
    }

    /// The key that is to take its place; there is one while keys are rotated.
    pub fn next(&self) -> Option<&Key> {
        self.next.as_ref()
    }

    /// Begins a rotation, or goes on with one that was cut off: the next key is on the disk before anything is sealed with
    /// it.
    pub fn begin_rotation(mut self) -> Result<Self, KeyError> {
        if self.next.is_none() {
            if !self.filed {
                return Err(KeyError::NoNext);
            }
            let key = Key::random().map_err(at(&self.file))?;
            write_new(&beside(&self.file), &key).map_err(at(&self.file))?;
            self.next = Some(key);
        }
        Ok(self)
    }

    /// Ends it, once nothing is sealed with the present key any more: the next one takes its place in the file, or the
    /// file goes when the next one comes from the environment. Whether the file was changed.
    pub fn end_rotation(self) -> Result<bool, KeyError> {
        if !self.filed {
            return Ok(false);
        }
        let next = beside(&self.file);
        let done = if next.exists() { fs::rename(&next, &self.file) } else { fs::remove_file(&self.file) };
        done.and_then(|()| sync_folder(&self.file)).map_err(at(&self.file))?;
        Ok(true)
    }
}

/// Where the next key waits.
fn beside(file: &Path) -> PathBuf {
    file.with_added_extension("next")
}

fn at(file: &Path) -> impl Fn(io::Error) -> KeyError + use<'_> {
    move |error| KeyError::File { file: file.to_owned(), error }
}

fn read(file: &Path) -> Result<Option<Key>, KeyError> {
    let mode = match fs::metadata(file) {
        Ok(about) => about.mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(file)(error)),
    };
    if mode & 0o077 != 0 {
        return Err(KeyError::Open { file: file.to_owned(), mode });
    }
    let bytes = fs::read(file).map_err(at(file))?;
    bytes.try_into().map(|key| Some(Key(key))).map_err(|_| KeyError::Damaged(file.to_owned()))
}

/// Writes a key where there is none; it appears under its name only when it is whole.
fn write_new(file: &Path, key: &Key) -> io::Result<()> {
    let new = file.with_added_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) | Ok(()) => {}
    }
    let mut written = File::options().write(true).create_new(true).mode(0o600).open(&new)?;
    written.write_all(key.bytes())?;
    written.sync_all()?;
    fs::rename(&new, file)?;
    sync_folder(file)
}

fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(file.parent().unwrap_or(Path::new("/")))?.sync_all()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn given(present: Option<&Key>, next: Option<&Key>) -> Given {
        Given { present: present.cloned(), next: next.cloned() }
    }

    #[test]
    fn the_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let key = Keys::open(&file, &Given::default(), true).unwrap().present;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Keys::open(&file, &Given::default(), false).unwrap().present, key);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Keys::open(&file, &Given::default(), true).unwrap_err().to_string();
        assert!(
            refused.contains("mode 640") && refused.contains(&format!("chmod 600 {}", file.display())),
            "{refused}"
        );
        fs::remove_file(&file).unwrap();
        assert!(matches!(Keys::open(&file, &Given::default(), false), Err(KeyError::Gone(_))));
        assert!(!file.exists());
    }

    #[test]
    fn a_rotation_that_is_cut_off_goes_on_with_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let open = || Keys::open(&file, &Given::default(), true).unwrap();
        let first = open().present;
        let next = open().begin_rotation().unwrap().next.unwrap();
        assert_eq!((open().present, open().next), (first, Some(next.clone())));
        let again = open().begin_rotation().unwrap();
        assert_eq!(again.next.as_ref(), Some(&next));
        assert!(again.end_rotation().unwrap());
        assert_eq!((open().present, open().next), (next, None));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_takes_its_place_by_a_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let [old, new] = [Key::random().unwrap(), Key::random().unwrap()];
        for text in [old.encode(), old.encode().replace('=', ""), old.encode().replace('+', "-").replace('/', "_")] {
            assert_eq!(Key::decode(&text), Some(old.clone()));
        }
        assert_eq!(Key::decode("c2hvcnQ="), None);
        assert_eq!(Keys::open(&file, &given(Some(&old), None), true).unwrap().present, old);
        assert!(!file.exists());
        let alone = Keys::open(&file, &given(Some(&old), None), true).unwrap();
        assert!(matches!(alone.begin_rotation(), Err(KeyError::NoNext)));
        assert!(matches!(Keys::open(&file, &given(Some(&old), Some(&old)), true), Err(KeyError::Same)));

        Keys::open(&file, &Given::default(), true).unwrap().begin_rotation().unwrap();
        assert!(matches!(Keys::open(&file, &given(None, Some(&new)), true), Err(KeyError::Begun(_))));
        Keys::open(&file, &Given::default(), true).unwrap().end_rotation().unwrap();
        let moved = Keys::open(&file, &given(None, Some(&new)), true).unwrap().begin_rotation().unwrap();
        assert_eq!(moved.next.as_ref(), Some(&new));
        assert!(moved.end_rotation().unwrap() && !file.exists());
    }
}
