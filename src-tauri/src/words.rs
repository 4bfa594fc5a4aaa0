//! In which language this program speaks.

pub(crate) use gatehouse_words::Language;

/// The language that the user set for the system.
pub(crate) fn of_system() -> Language {
    #[cfg(target_os = "macos")]
    return Language::of_locale(
        &objc2_foundation::NSLocale::preferredLanguages()
            .firstObject()
            .map(|tag| tag.to_string())
            .unwrap_or_default(),
    );
    #[cfg(not(target_os = "macos"))]
    Language::of_variables(|name| std::env::var(name).ok())
}
