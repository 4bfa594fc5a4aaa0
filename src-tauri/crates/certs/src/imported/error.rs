//! Why a certificate that the user brought cannot be served.

use std::io;
use std::path::PathBuf;

use time::OffsetDateTime;

/// Each names what is wrong; whoever shows it says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was given is neither PEM, nor PKCS#12, nor a certificate or key as DER.
    #[error("{file} is neither PEM nor PKCS#12")]
    NotUnderstood {
        /// Its name.
        file: String,
    },
    /// Something in a file is damaged.
    #[error("{file} is damaged: {detail}")]
    Damaged {
        /// Its name.
        file: String,
        /// What is wrong.
        detail: String,
    },
    /// There is no certificate.
    #[error("there is no certificate")]
    NoCertificate,
    /// There is no private key.
    #[error("there is no private key")]
    NoKey,
    /// The private key is encrypted.
    #[error("the private key in {file} is encrypted")]
    KeyEncrypted {
        /// The file.
        file: String,
    },
    /// The private key is of a kind that TLS here does not use.
    #[error("the private key cannot be used: {detail}")]
    KeyUnusable {
        /// What the library said.
        detail: String,
    },
    /// The key belongs to none of the certificates.
    #[error("the private key belongs to none of the certificates ({})", subjects.join(", "))]
    KeyMismatch {
        /// Whose certificates they are.
        subjects: Vec<String>,
    },
    /// The PKCS#12 file has a password.
    #[error("{file} has a password")]
    PasswordWanted {
        /// The file.
        file: String,
    },
    /// The password is another one.
    #[error("the password does not open {file}")]
    PasswordWrong {
        /// The file.
        file: String,
    },
    /// The certificate is over.
    #[error("the certificate ended on {}", not_after.date())]
    Expired {
        /// Its last moment.
        not_after: OffsetDateTime,
    },
    /// The certificate is not valid yet.
    #[error("the certificate begins on {}", not_before.date())]
    NotYetValid {
        /// Its first moment.
        not_before: OffsetDateTime,
    },
    /// An intermediate certificate is over.
    #[error("the certificate of {subject}, which signed it, ended on {}", not_after.date())]
    IssuerExpired {
        /// Whose.
        subject: String,
        /// Its last moment.
        not_after: OffsetDateTime,
    },
    /// The names are only in the subject, where clients no longer look.
    #[error("the certificate has no subject alternative names (it is for {subject:?})")]
    NoNames {
        /// Its subject.
        subject: String,
    },
    /// It is not made for servers.
    #[error("the certificate is not made for servers: {why}")]
    NotForServers {
        /// What it says of its purpose.
        why: String,
    },
    /// Its key or its signature is too weak: clients refuse it.
    #[error("{what} is too weak")]
    Weak {
        /// What: `RSA, 1024 bits`, `SHA-1`.
        what: String,
    },
    /// The certificates that come with it did not sign it.
    #[error("the chain does not hold together: {detail}")]
    ChainBroken {
        /// What the library said.
        detail: String,
    },
    /// The folder for copies failed.
    #[error("{}: {source}", path.display())]
    Store {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
