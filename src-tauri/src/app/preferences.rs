//! What this app remembers about itself: `app.json` in the state folder. What the core does is not decided here.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::neighbour::Asker;
use crate::words::{Language, of_system};

/// Longest file that is read, in bytes.
const FILE_BYTES: u64 = 64 * 1024;
/// Marks that are remembered.
const MOST_TOLD: usize = 32;

/// The preferences. Where they cannot be kept, they last as long as the process.
#[derive(Debug)]
pub(crate) struct Preferences {
    path: Option<PathBuf>,
    first: bool,
    system: Language,
    kept: Mutex<Kept>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// `None` = the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<Language>,
    /// Who asks about devices.
    #[serde(default)]
    asker: Asker,
    /// What was told once and is not told again, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    told: Vec<String>,
}

impl Preferences {
    /// Reads them; makes the file where there is none.
    pub(crate) fn load(path: Option<PathBuf>) -> Self {
        let bytes =
            path.as_ref().and_then(|path| gatehouse_files::read_bounded(path, FILE_BYTES).ok().flatten());
        let kept = bytes.as_ref().and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
        let first = path.is_some() && bytes.is_none();
        let preferences = Self { path, first, system: of_system(), kept: Mutex::new(kept) };
        if first {
            preferences.keep(|_| {});
        }
        preferences
    }

    /// Whether nobody started the app with this state folder before.
    pub(crate) fn is_first_start(&self) -> bool {
        self.first
    }

    /// The language of tray and notifications.
    pub(crate) fn language(&self) -> Language {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).language.unwrap_or(self.system)
    }

    /// Keeps the language that was chosen in the window; `None` = the system's.
    pub(crate) fn choose(&self, language: Option<Language>) {
        self.keep(|kept| kept.language = language);
    }

    /// Who asks about devices.
    pub(crate) fn asker(&self) -> Asker {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).asker
    }

    /// Keeps who asks about devices.
    pub(crate) fn choose_asker(&self, asker: Asker) {
        self.keep(|kept| kept.asker = asker);
    }

    /// Whether `mark` was told.
    pub(crate) fn was_told(&self, mark: &str) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.told.iter().any(|told| told == mark)
    }

    /// `mark` was told.
    pub(crate) fn tell(&self, mark: &str) {
        self.keep(|kept| {
            kept.told.push(mark.to_owned());
            let surplus = kept.told.len().saturating_sub(MOST_TOLD);
            kept.told.drain(..surplus);
        });
    }

    fn keep(&self, change: impl FnOnce(&mut Kept)) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut kept);
        let (Some(path), Ok(bytes)) = (&self.path, serde_json::to_vec_pretty(&*kept)) else { return };
        let folder = path.parent().map_or(Ok(()), gatehouse_files::create_private_folder);
        if let Err(error) =
            folder.and_then(|()| gatehouse_files::write_atomic(path, &bytes, gatehouse_files::PRIVATE))
        {
            tracing::warn!(%error, path = %path.display(), "the app's preferences were not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_was_chosen_is_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().join("state").join("app.json"));
        let first = Preferences::load(path.clone());
        assert!(first.is_first_start());

        first.choose(Some(Language::SimplifiedChinese));
        first.choose_asker(Asker::Gatehouse);

        let second = Preferences::load(path);
        assert!(!second.is_first_start());
        assert_eq!((second.language(), second.asker()), (Language::SimplifiedChinese, Asker::Gatehouse));
        second.choose(None);
        assert_eq!(second.language(), of_system());
    }

    #[test]
    fn what_was_told_is_no_news_at_the_next_start_and_little_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().join("app.json"));
        let first = Preferences::load(path.clone());
        assert!(!first.was_told("Near AB"));
        first.tell("Near AB");
        assert!(first.was_told("Near AB") && !first.was_told("Close AB"));

        let second = Preferences::load(path);
        assert!(second.was_told("Near AB"));
        for number in 0..MOST_TOLD {
            second.tell(&number.to_string());
        }
        assert!(!second.was_told("Near AB"), "it was pushed out");
    }

    #[test]
    fn a_file_that_makes_no_sense_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        std::fs::write(&path, "{\"language\":\"tlh\"}").unwrap();

        assert_eq!(Preferences::load(Some(path)).language(), of_system());
    }
}
