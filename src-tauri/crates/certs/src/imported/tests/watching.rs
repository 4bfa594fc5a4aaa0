use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;

use super::files::{Made, Maker};
use super::*;
use crate::Resolver;

/// A folder as certbot keeps it: links in `live`, files in `archive`.
struct Live {
    folder: tempfile::TempDir,
    maker: Maker,
    resolver: Arc<Resolver>,
    imports: Imports,
}

impl Live {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("live")).unwrap();
        fs::create_dir(folder.path().join("archive")).unwrap();
        let resolver = Arc::new(Resolver::default());
        let imports = Imports::new(&folder.path().join("certs/imported"), resolver.clone());
        Self { folder, maker: Maker::new(), resolver, imports }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a new pair beside the old one.
    fn archive(&self, number: u32) -> Made {
        let made = self.maker.leaf(|_| {});
        fs::write(self.path(&format!("archive/fullchain{number}.pem")), self.maker.chain(&made)).unwrap();
        fs::write(self.path(&format!("archive/privkey{number}.pem")), &made.key).unwrap();
        made
    }

    fn link(&self, name: &str, number: u32) {
        let next = self.path("live/next");
        symlink(self.path(&format!("archive/{name}{number}.pem")), &next).unwrap();
        fs::rename(next, self.path(&format!("live/{name}.pem"))).unwrap();
    }

    fn watch(&self) {
        let source = ImportSource::Watched {
            certificate: self.path("live/fullchain.pem"),
            key: Some(self.path("live/privkey.pem")),
            password_file: None,
        };
        self.imports.set(&BTreeMap::from([("home".to_owned(), source)]), now());
    }

    fn serves(&self, made: &Made) -> bool {
        let served = self.resolver.lookup(Some("home.example"));
        served.is_some_and(|key| key.cert.first() == Some(&made.certificate))
    }

    fn problem(&self) -> Option<String> {
        self.imports.status()[0].problem.as_ref().map(|error| error.to_string())
    }
}

#[test]
fn links_that_move_are_followed_and_half_a_pair_is_never_served() {
    let live = Live::new();
    let first = live.archive(1);
    live.link("fullchain", 1);
    live.link("privkey", 1);
    live.watch();
    assert!(live.serves(&first));
    live.imports.refresh(now());
    assert!(!live.imports.refresh(now()), "nothing changed");

    let second = live.archive(2);
    live.link("privkey", 2);
    assert!(live.imports.refresh(now()));
    assert!(live.serves(&first), "the key alone is half a pair");
    assert!(live.problem().unwrap().contains("belongs to none"));
    live.link("fullchain", 2);
    assert!(live.imports.refresh(now()));
    assert!(live.serves(&second));
    assert_eq!(live.problem(), None);
}

#[test]
fn what_is_broken_gone_or_over_keeps_the_last_good_pair() {
    let live = Live::new();
    let first = live.archive(1);
    live.link("fullchain", 1);
    live.link("privkey", 1);
    live.watch();
    let chain = live.path("archive/fullchain1.pem");
    let whole = fs::read(&chain).unwrap();
    for (bytes, expected) in
        [(&whole[..whole.len() / 3], ""), (b"", "neither PEM"), (b"rubbish", "neither PEM")]
    {
        fs::write(&chain, bytes).unwrap();
        assert!(live.imports.refresh(now()));
        assert!(live.serves(&first));
        assert!(live.problem().unwrap().contains(expected), "{:?}", live.problem());
    }
    fs::remove_file(&chain).unwrap();
    assert!(live.imports.refresh(now()));
    assert!(live.serves(&first) && live.problem().unwrap().contains("fullchain.pem"));
    let over = live.maker.leaf(|params| params.not_after = now() - Duration::minutes(1));
    fs::write(&chain, live.maker.chain(&over)).unwrap();
    fs::write(live.path("archive/privkey1.pem"), &over.key).unwrap();
    assert!(live.imports.refresh(now()));
    assert!(live.serves(&first) && live.problem().unwrap().contains("ended on"));
    fs::write(&chain, &whole).unwrap();
    fs::write(live.path("archive/privkey1.pem"), &first.key).unwrap();
    assert!(live.imports.refresh(now()));
    assert!(live.serves(&first));
    assert_eq!(live.problem(), None);
}

#[test]
fn what_is_over_is_better_than_nothing() {
    let live = Live::new();
    let over = live.maker.leaf(|params| params.not_after = now() - Duration::minutes(1));
    fs::write(live.path("live/fullchain.pem"), live.maker.chain(&over)).unwrap();
    fs::write(live.path("live/privkey.pem"), &over.key).unwrap();
    live.watch();
    assert!(live.serves(&over));
}

#[test]
fn a_copy_is_private_is_read_again_and_goes_when_it_is_not_kept() {
    let live = Live::new();
    let made = live.maker.leaf(|_| {});
    let pair = read(&[&live.maker.chain(&made), &made.key]).unwrap();
    let id = live.imports.copy(&pair, now()).unwrap();
    let folder = live.path("certs/imported").join(&id);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(folder.join("key.pem")), mode(folder.clone())], [0o600, 0o700]);
    let wanted = BTreeMap::from([("home".to_owned(), ImportSource::Copied { id: id.clone() })]);
    live.imports.set(&wanted, now());
    assert!(live.serves(&made));
    let status = &live.imports.status()[0];
    assert_eq!((status.trusted, status.algorithm), (None, Some("ECDSA")));
    assert!(live.imports.refresh(now()), "the system is asked once");
    assert_eq!(live.imports.status()[0].trusted, Some(false));
    assert!(!live.imports.refresh(now()));
    assert_eq!(
        ders(&ImportSource::Copied { id: id.clone() }.read(&live.path("certs/imported")).unwrap()),
        ders(&pair)
    );
    live.imports.set(&BTreeMap::new(), now());
    assert!(live.resolver.lookup(Some("home.example")).is_none());
    live.imports.keep_only(&[id]).unwrap();
    assert!(folder.exists());
    live.imports.keep_only(&[]).unwrap();
    assert!(!folder.exists());
}

#[test]
fn a_watched_pkcs12_file_finds_its_password_in_a_file() {
    let live = Live::new();
    let made = live.archive(1);
    let at = |name: &str| live.path(name).display().to_string();
    fs::write(live.path("password"), "secret\n").unwrap();
    openssl(&[
        "pkcs12",
        "-export",
        "-inkey",
        &at("archive/privkey1.pem"),
        "-in",
        &at("archive/fullchain1.pem"),
        "-passout",
        &format!("file:{}", at("password")),
        "-out",
        &at("bundle.p12"),
    ]);
    let source = ImportSource::Watched {
        certificate: live.path("bundle.p12"),
        key: None,
        password_file: Some(live.path("password")),
    };
    live.imports.set(&BTreeMap::from([("home".to_owned(), source)]), now());
    assert!(live.serves(&made), "{:?}", live.problem());
}
