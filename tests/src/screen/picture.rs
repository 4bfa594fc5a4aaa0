//! Pictures of a screen: what changed from one to the next, and what can be read in them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Machine, artifacts, within};

const PATIENCE: Duration = Duration::from_secs(60);
/// Letters on a screen are small for a text recogniser.
const ENLARGED: u32 = 3;

/// A picture of a screen.
#[derive(Debug, Clone)]
pub struct Picture {
    machine: Option<Machine>,
    file: PathBuf,
}

/// Part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From the left edge.
    pub x: u32,
    /// From the upper edge.
    pub y: u32,
    /// To the right.
    pub width: u32,
    /// Down.
    pub height: u32,
}

/// A line of text in a picture.
#[derive(Debug, Clone)]
pub struct Line {
    /// What was read.
    pub text: String,
    /// Its middle, in pixels of the screen.
    pub at: (u32, u32),
}

impl Picture {
    /// No picture yet.
    pub(super) fn nowhere() -> Self {
        Self { machine: None, file: PathBuf::new() }
    }

    pub(super) fn at(machine: &Machine, file: PathBuf) -> Self {
        Self { machine: Some(machine.clone()), file }
    }

    /// Keeps it under `artifacts/`.
    pub fn keep(&self, name: &str) {
        std::fs::copy(&self.file, artifacts().join(format!("{name}.png"))).expect("the picture can be kept");
    }

    /// Where it differs from another picture of the same screen, looking only inside `within`; `None` = nowhere.
    pub async fn difference(&self, other: &Self, within: Option<Place>) -> Option<Place> {
        let crop = within.map(Place::geometry);
        let crop: Vec<&str> = crop.iter().flat_map(|place| ["-crop", place, "+repage"]).collect();
        let mut arguments = vec!["(", path(&self.file)];
        arguments.extend(&crop);
        arguments.extend([")", "(", path(&other.file)]);
        arguments.extend(&crop);
        // A border of black, so that there is something to trim where everything differs.
        arguments.extend([
            ")",
            "-compose",
            "difference",
            "-composite",
            "-colorspace",
            "gray",
            "-threshold",
            "2%",
            "-bordercolor",
            "black",
            "-border",
            "1",
            "-format",
            "%[fx:maxima] %@",
            "info:",
        ]);
        let found = self.run("convert", &arguments).await;
        let (most, place) = found.trim().split_once(' ')?;
        if most == "0" {
            return None;
        }
        let found = Place::parse(place)?;
        let (x, y) = within.map_or((0, 0), |place| (place.x, place.y));
        Some(Place { x: (found.x + x).saturating_sub(1), y: (found.y + y).saturating_sub(1), ..found })
    }

    /// What can be read at a place, line by line.
    pub async fn read(&self, place: Place) -> Vec<Line> {
        let part = self.file.with_extension("part.png");
        let scale = format!("{}%", ENLARGED * 100);
        // Beside the black of an empty screen the recogniser takes grey letters for paper.
        let cut = ["-crop", &place.geometry(), "+repage", "-fill", "white", "-opaque", "black"];
        let mut arguments = vec![path(&self.file)];
        arguments.extend(cut);
        arguments.extend(["-colorspace", "gray", "-resize", &scale]);
        arguments.push(path(&part));
        self.run("convert", &arguments).await;
        let table = self.run("tesseract", &[path(&part), "stdout", "--psm", "6", "tsv"]).await;
        lines(&table, place)
    }

    async fn run(&self, program: &str, arguments: &[&str]) -> String {
        let machine = self.machine.as_ref().expect("there is a picture");
        let mut command = machine.command(program);
        let output = command.args(arguments).output();
        let ran = within(program, PATIENCE, output).await.expect("the program starts");
        assert!(ran.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }
}

impl Place {
    /// Its middle.
    #[must_use]
    pub fn middle(self) -> (u32, u32) {
        (self.x + self.width / 2, self.y + self.height / 2)
    }

    fn geometry(self) -> String {
        format!("{}x{}+{}+{}", self.width, self.height, self.x, self.y)
    }

    /// As ImageMagick writes it: `WxH+X+Y`.
    fn parse(text: &str) -> Option<Self> {
        let (size, place) = text.split_once('+')?;
        let (width, height) = size.split_once('x')?;
        let (x, y) = place.split_once('+')?;
        let number = |text: &str| text.parse().ok();
        Some(Self { x: number(x)?, y: number(y)?, width: number(width)?, height: number(height)? })
    }
}

/// Lines from the recogniser's table: level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
fn lines(table: &str, place: Place) -> Vec<Line> {
    let mut lines: Vec<([u32; 3], Line)> = Vec::new();
    for row in table.lines() {
        let fields: Vec<&str> = row.split('\t').collect();
        let [level, _, block, paragraph, line, _, left, top, width, height, _, word] = fields[..] else {
            continue;
        };
        // A line of the frame is read as `|`.
        if level != "5" || !word.contains(char::is_alphanumeric) {
            continue;
        }
        let number = |text: &str| text.parse::<u32>().unwrap_or_default();
        let key = [number(block), number(paragraph), number(line)];
        match lines.last_mut().filter(|(last, _)| *last == key) {
            Some((_, line)) => {
                line.text.push(' ');
                line.text.push_str(word);
            }
            None => {
                let x = place.x + (number(left) + number(width) / 2) / ENLARGED;
                let y = place.y + (number(top) + number(height) / 2) / ENLARGED;
                lines.push((key, Line { text: word.to_owned(), at: (x, y) }));
            }
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of letters")
}
