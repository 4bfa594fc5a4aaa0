//! The authority as an Apple configuration profile, unsigned: a device shows it to its owner before it takes it.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::AuthorityFacts;

/// The media type of a profile.
pub const PROFILE_TYPE: &str = "application/x-apple-aspen-config";

impl AuthorityFacts {
    /// A profile that installs the authority as a root. Its identifiers follow from the authority alone, so that a
    /// second download replaces the first one on a device and does not stand beside it. Its owner can remove it, and reads
    /// `description` before it is installed.
    #[must_use]
    pub fn apple_profile(&self, description: &str) -> String {
        let (name, description) = (escaped(&self.name), escaped(description));
        let key: String = self.sha256.chars().filter(char::is_ascii_hexdigit).take(16).collect();
        let key = key.to_ascii_lowercase();
        let content = wrapped(&STANDARD.encode(&self.der));
        let (root, profile) = (uuid("root", &self.der), uuid("profile", &self.der));
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadCertificateFileName</key>
			<string>gatehouse-ca.cer</string>
			<key>PayloadContent</key>
			<data>
{content}			</data>
			<key>PayloadDescription</key>
			<string>{description}</string>
			<key>PayloadDisplayName</key>
			<string>{name}</string>
			<key>PayloadIdentifier</key>
			<string>app.gatehouse.ca.{key}.root</string>
			<key>PayloadType</key>
			<string>com.apple.security.root</string>
			<key>PayloadUUID</key>
			<string>{root}</string>
			<key>PayloadVersion</key>
			<integer>1</integer>
		</dict>
	</array>
	<key>PayloadDescription</key>
	<string>{description} SHA-256 {fingerprint}</string>
	<key>PayloadDisplayName</key>
	<string>{name}</string>
	<key>PayloadIdentifier</key>
	<string>app.gatehouse.ca.{key}</string>
	<key>PayloadOrganization</key>
	<string>Gatehouse</string>
	<key>PayloadRemovalDisallowed</key>
	<false/>
	<key>PayloadType</key>
	<string>Configuration</string>
	<key>PayloadUUID</key>
	<string>{profile}</string>
	<key>PayloadVersion</key>
	<integer>1</integer>
</dict>
</plist>
"#,
            fingerprint = self.sha256,
        )
    }
}

/// A name-based identifier (RFC 9562, version 8).
fn uuid(label: &str, der: &[u8]) -> String {
    let hash = digest(&SHA256, &[b"gatehouse ", label.as_bytes(), b" ", der].concat());
    let mut bytes = [0_u8; 16];
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(byte, hash)| *byte = *hash);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02X}");
    }
    text
}

fn wrapped(base64: &str) -> String {
    let mut text = String::with_capacity(base64.len() + base64.len() / 16);
    for (index, letter) in base64.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push('\n');
    text
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn authority(name: &str, der: &[u8]) -> AuthorityFacts {
        AuthorityFacts {
            name: name.to_owned(),
            created: OffsetDateTime::UNIX_EPOCH,
            not_after: OffsetDateTime::UNIX_EPOCH,
            sha256: crate::fingerprint(der),
            pem: String::new(),
            der: der.to_vec(),
        }
    }

    fn value<'a>(profile: &'a str, key: &str) -> Vec<&'a str> {
        let key = format!("<key>{key}</key>");
        let after =
            |part: &'a str| part.split_once("<string>")?.1.split_once("</string>").map(|(text, _)| text);
        profile.split(key.as_str()).skip(1).filter_map(after).collect()
    }

    #[test]
    fn the_profile_of_an_authority_is_always_the_same_and_that_of_another_is_another() {
        let one = authority("mini", b"one").apple_profile("What it is.");

        assert_eq!(one, authority("mini", b"one").apple_profile("What it is."));
        let (ours, theirs) =
            (value(&one, "PayloadUUID"), authority("mini", b"two").apple_profile("What it is."));
        assert_eq!(ours.len(), 2);
        assert!(ours[0] != ours[1] && value(&theirs, "PayloadUUID").iter().all(|id| !ours.contains(id)));
        assert!(ours.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'8'), "{ours:?}");
    }

    /// Apple, Device Management: TopLevel and CertificateRoot payloads. A profile without one of these is refused.
    #[test]
    fn it_has_every_key_that_apple_asks_for_and_can_be_removed() {
        let profile = authority("mini", b"one").apple_profile("What it is.");
        for key in ["PayloadContent", "PayloadIdentifier", "PayloadType", "PayloadUUID", "PayloadVersion"] {
            assert_eq!(profile.matches(&format!("<key>{key}</key>")).count(), 2, "{key}");
        }
        assert!(profile.contains("<key>PayloadRemovalDisallowed</key>\n\t<false/>"));
        assert_eq!(
            profile.matches("<key>PayloadVersion</key>").count(),
            profile.matches("<integer>1</integer>").count()
        );
        let ids = value(&profile, "PayloadIdentifier");
        assert!(ids[0] != ids[1] && ids.iter().all(|id| id.starts_with("app.gatehouse.ca.")), "{ids:?}");
        assert_eq!(value(&profile, "PayloadCertificateFileName"), ["gatehouse-ca.cer"]);
    }

    #[test]
    fn it_holds_the_authority_as_a_root_and_its_name_can_break_nothing() {
        let der: Vec<u8> = (0..=255).collect();

        let profile = authority("<a> & \u{1}b", &der).apple_profile("Was <es> ist & tut.");

        assert_eq!(value(&profile, "PayloadType"), ["com.apple.security.root", "Configuration"]);
        assert_eq!(value(&profile, "PayloadDisplayName"), ["&lt;a&gt; &amp;  b"; 2]);
        assert_eq!(value(&profile, "PayloadDescription")[0], "Was &lt;es&gt; ist &amp; tut.");
        let data = profile.split_once("<data>\n").unwrap().1.split_once("</data>").unwrap().0;
        let data: String = data.split_whitespace().collect();
        assert_eq!(STANDARD.decode(data).unwrap(), der);
    }
}
