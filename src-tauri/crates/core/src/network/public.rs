//! The address under which the internet sees this network, and who says so.

use std::net::IpAddr;
use std::str::FromStr;

use futures_util::future::join_all;
use gatehouse_api::{MappingState, PortMapping, PublicAddress, Text, say};
use gatehouse_host::addresses::{InterfaceAddress, Kind};
use gatehouse_host::mapping::{self, Class, MappingError, class};

use crate::errors::{self, Explain};
use crate::requests::Desk;

/// What is known without asking: public addresses of our own, and what the router said when it opened its port.
pub(super) fn known(addresses: &[InterfaceAddress], mapping: Option<&PortMapping>) -> Vec<PublicAddress> {
    let own = addresses
        .iter()
        .filter(|address| address.kind == Kind::Global && !address.temporary && !address.deprecated);
    let own = own.map(|address| said("interface", address.ip));
    own.chain(router(mapping)).collect()
}

fn router(mapping: Option<&PortMapping>) -> Option<PublicAddress> {
    let open = mapping.filter(|mapping| mapping.state == MappingState::Open)?;
    let external = open.external.as_ref()?.parse::<std::net::SocketAddr>().ok()?;
    Some(said("router", external.ip()))
}

/// Asks the router, unless it has said it already, and each echo.
pub(super) async fn ask(desk: &Desk, mapping: Option<&PortMapping>, echoes: &[String]) -> Vec<PublicAddress> {
    let router = async {
        match router(mapping) {
            Some(_) => None,
            None => Some(of_router(desk).await),
        }
    };
    let (router, echoed) = tokio::join!(router, join_all(echoes.iter().map(|url| echo(desk, url))));
    router.into_iter().chain(echoed).collect()
}

async fn of_router(desk: &Desk) -> PublicAddress {
    let external = match desk.context.router_port.place().await {
        Ok(place) => mapping::external(place).await,
        Err(MappingError::OnInternet { here }) => Ok(here),
        Err(error) => Err(error),
    };
    match external.map(|external| (external, class(external))) {
        Ok((external, Class::Public)) => said("router", external.into()),
        Ok((external, class)) => PublicAddress {
            problem: Some(MappingError::NotPublic { external: external.into(), class }.explain().because),
            ..said("router", external.into())
        },
        Err(error) => silent("router", error.explain().because),
    }
}

async fn echo(desk: &Desk, url: &str) -> PublicAddress {
    match desk.context.public.ask_echo(url).await {
        Ok(text) => match address(&text) {
            Some(ip) => said(url, ip),
            None => silent(url, say!("core.net.echo-no-address")),
        },
        Err(error) => silent(url, errors::capital(&error).into()),
    }
}

/// The first thing in an answer that is an address: plain text, or JSON of whatever shape.
fn address(text: &str) -> Option<IpAddr> {
    let part = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let words = text.split(|c: char| !part(c)).map(|word| word.trim_matches('.'));
    words.filter(|word| word.len() >= 3).find_map(|word| IpAddr::from_str(word).ok())
}

fn said(source: &str, address: IpAddr) -> PublicAddress {
    PublicAddress { source: source.to_owned(), address: Some(address.to_string()), problem: None }
}

fn silent(source: &str, problem: Text) -> PublicAddress {
    PublicAddress { source: source.to_owned(), address: None, problem: Some(problem) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_found_in_plain_text_and_in_json() {
        for (text, expected) in [
            ("44.55.66.77\n", Some("44.55.66.77")),
            ("{\"ip\":\"44.55.66.77\"}", Some("44.55.66.77")),
            ("{\"address\": \"2001:db8::7\", \"asn\": 64500}", Some("2001:db8::7")),
            ("Current IP Address: 44.55.66.77.", Some("44.55.66.77")),
            ("<html>moved</html>", None),
            ("", None),
        ] {
            assert_eq!(address(text).map(|ip| ip.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_routers_word_counts_while_its_port_is_open() {
        let open = PortMapping {
            state: MappingState::Open,
            port: 443,
            to: 443,
            router: None,
            external: Some("44.5.6.7:443".to_owned()),
            protocol: None,
            renewed_at: None,
            until: None,
            problem: None,
            retry_at: None,
        };
        assert_eq!(known(&[], Some(&open))[0].address.as_deref(), Some("44.5.6.7"));
        assert_eq!(known(&[], Some(&PortMapping { state: MappingState::Failed, ..open })), []);
        assert_eq!(known(&[], None), []);
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(text in ".{0,200}") {
            let _ = address(&text);
        }
    }
}
