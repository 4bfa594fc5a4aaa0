//! The owner link for another address.

use secrecy::{ExposeSecret, SecretString};

use super::{DashboardLink, ProgramError};

/// All that goes from the gateway's link into ours. Everything else stays behind: the shared token above all.
const KEPT: [&str; 2] = ["bootstrapToken", "bootstrapProfile"];

impl DashboardLink {
    /// The link for `address` (`https://host[:port]`, an origin): its origin and the gateway that the page connects to
    /// are both of that address. With the gateway's own address in it the page would ignore the token
    /// (openclaw-gateway §5.5).
    ///
    /// # Errors
    /// [`ProgramError::Output`] where the gateway's link has another form than the known one.
    pub fn at(&self, address: &str) -> Result<SecretString, ProgramError> {
        let unknown = |what| ProgramError::Output { what };
        let authority = address.strip_prefix("https://").filter(|authority| is_authority(authority));
        let authority = authority.ok_or(unknown("an https address"))?;
        let (page, fragment) =
            self.url.expose_secret().split_once('#').ok_or(unknown("a link with a fragment"))?;
        let path = path_of(page).ok_or(unknown("an http link"))?;
        let mut parts: Vec<String> = Vec::new();
        for name in KEPT {
            let found = fragment.split('&').find(|part| part.split('=').next() == Some(name));
            parts.push(found.ok_or(unknown("a bootstrap token and profile"))?.to_owned());
        }
        let gateway = fragment.split('&').find_map(|part| part.strip_prefix("gatewayUrl="));
        let gateway = percent_decoded(gateway.ok_or(unknown("gatewayUrl"))?);
        let socket = gateway.as_deref().and_then(path_of).ok_or(unknown("a readable gatewayUrl"))?;
        parts.push(format!("gatewayUrl={}", percent_encoded(&format!("wss://{authority}{socket}"))));
        Ok(SecretString::from(format!("https://{authority}{}#{}", or_root(path), parts.join("&"))))
    }
}

fn is_authority(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    !text.is_empty() && text.chars().all(plain)
}

/// What follows the authority of a URL, without query; empty where nothing does.
fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.find('/').map_or("", |start| &rest[start..]);
    path.split('?').next()
}

fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};

    use super::super::DashboardLink;

    fn link(url: &str) -> DashboardLink {
        DashboardLink {
            url: SecretString::from(url),
            bootstrap_token: SecretString::from("b00t"),
            expires_at: None,
        }
    }

    fn at(url: &str, address: &str) -> Option<String> {
        link(url).at(address).ok().map(|url| url.expose_secret().to_owned())
    }

    const GATEWAYS: &str = "http://127.0.0.1:18789/#bootstrapToken=b00t&bootstrapProfile=owner&gatewayUrl=ws%3A%2F%2F127.0.0.1%3A18789";

    #[test]
    fn both_the_origin_and_the_gateway_of_the_link_become_ours() {
        assert_eq!(
            at(GATEWAYS, "https://localhost:8443").as_deref(),
            Some(
                "https://localhost:8443/#bootstrapToken=b00t&bootstrapProfile=owner\
                 &gatewayUrl=wss%3A%2F%2Flocalhost%3A8443"
            )
        );
        let ipv6 = at(GATEWAYS, "https://[fd00::5]").unwrap();
        assert!(ipv6.starts_with("https://[fd00::5]/#") && ipv6.ends_with("wss%3A%2F%2F%5Bfd00%3A%3A5%5D"));
    }

    #[test]
    fn the_path_of_the_control_ui_stays() {
        let url = "http://127.0.0.1:1/claw/#bootstrapToken=b&bootstrapProfile=owner&gatewayUrl=ws%3A%2F%2F127.0.0.1%3A1%2Fclaw";

        assert_eq!(
            at(url, "https://localhost").as_deref(),
            Some(
                "https://localhost/claw/#bootstrapToken=b&bootstrapProfile=owner&gatewayUrl=wss%3A%2F%2Flocalhost%2Fclaw"
            )
        );
    }

    #[test]
    fn the_shared_token_stays_behind_wherever_the_gateway_puts_it() {
        let url = "http://127.0.0.1:1/?token=SHARED#token=SHARED&bootstrapToken=b&bootstrapProfile=owner\
                   &gatewayUrl=ws%3A%2F%2Fu%3ASHARED%40127.0.0.1%3A1%2F%3Ftoken%3DSHARED&password=SHARED";

        assert!(!at(url, "https://localhost").unwrap().contains("SHARED"));
    }

    #[test]
    fn a_link_of_another_form_and_an_address_that_is_none_are_refused() {
        for url in ["", "http://127.0.0.1:1/", "http://127.0.0.1:1/#token=abc", "x#bootstrapToken=b"] {
            assert_eq!(at(url, "https://localhost"), None, "{url}");
        }
        for address in
            ["http://localhost", "https://", "https://a/b", "https://u@a", "https://a#b", "https://a?b"]
        {
            assert_eq!(at(GATEWAYS, address), None, "{address}");
        }
    }

    #[test]
    fn nothing_of_the_link_is_in_its_debug_form() {
        assert!(!format!("{:?}", link(GATEWAYS)).contains("b00t"));
    }
}
