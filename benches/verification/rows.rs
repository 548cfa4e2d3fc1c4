//! The rows of the table: which loads take turns, and what is asked of them.

use std::path::PathBuf;
use std::{fs, iter};

use anyhow::Result;
use clap::ValueEnum;
use keydesk::domain::key::KeyFormat;

use crate::Options;
use crate::changing::Changing;
use crate::common::Backend;
use crate::common::installation::{Installation, Installations};
use crate::common::serving::{Question, Serving};
use crate::common::table::{Asked, Figure, Line, median};
use crate::common::wrk::{Load, Meanwhile, Presented, Sample};
use crate::keys::{self, EXPIRED, EXPIRING, REVOKED, UNKNOWN};

/// Where the product answers.
const WHOAMI: &str = "/v1/whoami";
/// Where the reference answers; the outermost layer takes it for a machine's request, too.
const REFERENCE: &str = "/v1/reference";

/// So many connections, where the row does not say otherwise.
const MANY: usize = 64;
/// So many keys are drawn from where databases of different sizes are compared: the smallest has no more to give.
const ALIKE: u64 = 100;
const LARGEST_MEMORY: f64 = 256.0;

/// Rows that are measured together, as they take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rows {
    /// One valid key, and keys that are refused
    Fixed,
    /// Many different keys
    Random,
    /// One valid key while others change
    Changes,
    /// One connection
    One,
    /// Eight connections
    Eight,
    /// Databases of different sizes
    Stored,
    /// The start
    Start,
}

/// What is measured on one kind of database.
pub struct Field<'a> {
    // The servers end before what they serve from is removed.
    subject: Serving,
    reference: Serving,
    options: &'a Options,
    installations: Installations,
    installation: Installation,
    format: KeyFormat,
}

impl<'a> Field<'a> {
    /// Fills the database where that was not done before, and starts the server and the reference.
    pub fn prepare(options: &'a Options, installations: Installations) -> Result<Self> {
        let installation = installations.with(options.keys)?;
        let format = installation.open()?.0.key_format;
        let valid = keys::key(&format, keys::in_the_middle(options.keys, EXPIRING));
        let subject = Serving::start(&installation)?;
        let question = Question { path: WHOAMI, header: &bearing(valid.reveal()) };
        let reference = Serving::start_reference(&installation, &subject, question, REFERENCE)?;
        Ok(Self { subject, reference, options, installations, installation, format })
    }

    /// Measures these rows.
    pub fn measure(&self, rows: Rows) -> Result<Vec<Line>> {
        match rows {
            Rows::Fixed => self.fixed(),
            Rows::Random => self.random(),
            Rows::Changes => self.changes(),
            Rows::One => self.few("one connection alone", 1, Figure::P50, self.either(Asked::AtMost, 1.25, 2.5)),
            Rows::Eight => {
                self.few("eight connections", 8, Figure::RequestsASecond, self.either(Asked::AtLeast, 0.8, 0.4))
            }
            Rows::Stored => self.stored(),
            Rows::Start => self.start(),
        }
    }

    fn fixed(&self) -> Result<Vec<Line>> {
        let refused = |name: &str, place| Load { is_good: false, ..self.presenting(name, self.place(place)) };
        let loads = [
            self.doing_nothing(self.place(EXPIRING)),
            self.presenting("valid key", self.place(EXPIRING)),
            refused("revoked key", REVOKED),
            refused("expired key", EXPIRED),
            Load { is_good: false, ..self.presenting("unknown key", Presented::Header(bearing(&self.text(UNKNOWN)))) },
        ];
        let samples = self.alternate(&loads)?;
        let line = |figure, asked, one: usize, other: usize| {
            Line::compared(figure, asked, (&loads[one].name, &samples[one]), (&loads[other].name, &samples[other]))
        };
        Ok(vec![
            line(Figure::RequestsASecond, self.either(Asked::AtLeast, 0.8, 0.65), 1, 0),
            line(Figure::P99, self.either(Asked::AtMost, 1.5, 2.0), 1, 0),
            line(Figure::Processor, Asked::Nothing, 1, 0),
            line(Figure::RequestsASecond, Asked::AtLeast(0.95), 2, 1),
            line(Figure::RequestsASecond, Asked::AtLeast(0.95), 3, 1),
            line(Figure::RequestsASecond, Asked::AtLeast(0.8), 4, 1),
        ])
    }

    fn random(&self) -> Result<Vec<Line>> {
        let in_use = self.options.keys / 10;
        let presented = self.drawn_from(&self.installation, self.options.keys, in_use)?;
        let name = format!("{} keys at random", thousands(in_use));
        let loads = [self.doing_nothing(presented.clone()), self.presenting(&name, presented)];
        let samples = self.alternate(&loads)?;
        let line = |figure, asked| Line::compared(figure, asked, (&name, &samples[1]), (&loads[0].name, &samples[0]));
        let memory = self.subject.process.resident_mebibytes()?;
        let what = format!("{name}, {} stored: memory of the server", thousands(self.options.keys));
        Ok(vec![
            line(Figure::RequestsASecond, self.either(Asked::AtLeast, 0.75, 0.5)),
            line(Figure::P99, Asked::Nothing),
            line(Figure::Processor, Asked::Nothing),
            Line::alone(&what, format!("{memory:.0} MiB"), "≤ 256 MiB", Some(memory <= LARGEST_MEMORY)),
        ])
    }

    fn changes(&self) -> Result<Vec<Line>> {
        let valid = self.place(EXPIRING);
        let change = || {
            let changing = Changing::start(&self.installation)?;
            Ok(Box::new(|| changing.end()) as Meanwhile)
        };
        let loads = [
            self.presenting("valid key undisturbed", valid.clone()),
            Load { meanwhile: Some(&change), ..self.presenting("valid key", valid) },
        ];
        let samples = self.alternate(&loads)?;
        let mut changed: Vec<_> = samples[1].iter().filter_map(|sample| sample.meanwhile_a_second).collect();
        let name = format!("valid key while {:.0} keys a second are created and revoked", median(&mut changed));
        let line = |figure, asked| Line::compared(figure, asked, (&name, &samples[1]), (&loads[0].name, &samples[0]));
        Ok(vec![line(Figure::RequestsASecond, Asked::AtLeast(0.85)), line(Figure::P99, Asked::Nothing)])
    }

    fn few(&self, name: &str, connections: usize, figure: Figure, asked: Asked) -> Result<Vec<Line>> {
        let valid = self.place(EXPIRING);
        let loads = [
            Load { connections, ..self.doing_nothing(valid.clone()) },
            Load { connections, ..self.presenting(&format!("valid key, {name}"), valid) },
        ];
        let samples = self.alternate(&loads)?;
        Ok(vec![Line::compared(figure, asked, (&loads[1].name, &samples[1]), (&loads[0].name, &samples[0]))])
    }

    fn stored(&self) -> Result<Vec<Line>> {
        let sizes = [self.options.keys / 1_000, self.options.keys / 10, self.options.keys];
        let mut servers = Vec::new();
        for keys in &sizes[..2] {
            let installation = self.installations.with(*keys)?;
            let server = Serving::start(&installation)?;
            servers.push((server, self.drawn_from(&installation, *keys, ALIKE)?));
        }
        let drawn = self.drawn_from(&self.installation, self.options.keys, ALIKE)?;
        let servers = servers.iter().map(|(server, drawn)| (server, drawn)).chain(iter::once((&self.subject, &drawn)));
        let loads: Vec<_> = sizes
            .iter()
            .zip(servers)
            .map(|(keys, (server, drawn))| Load {
                server,
                ..self.presenting(&format!("{} keys stored", thousands(*keys)), drawn.clone())
            })
            .collect();
        let samples = self.alternate(&loads)?;
        let within = Asked::Within(0.05);
        let line = |one: usize, other: usize| {
            let (name, other_name) = (&loads[one].name, &loads[other].name);
            Line::compared(Figure::RequestsASecond, within, (name, &samples[one]), (other_name, &samples[other]))
        };
        Ok(vec![line(1, 0), line(2, 0), line(2, 1)])
    }

    fn start(&self) -> Result<Vec<Line>> {
        let header = bearing(&self.text(keys::in_the_middle(self.options.keys, EXPIRING)));
        let question = Question { path: WHOAMI, header: &header };
        let mut taken = (0..self.options.turns.rounds)
            .map(|_| Ok(Serving::time_to_first_answer(&self.installation, question)?.as_secs_f64() * 1_000.0))
            .collect::<Result<Vec<_>>>()?;
        let measured = format!("{:.0} ms", median(&mut taken));
        Ok(vec![Line::alone("from the start of the process to its first answer", measured, "", None)])
    }

    fn presenting(&self, name: &str, presented: Presented) -> Load<'_> {
        Load {
            name: name.to_owned(),
            server: &self.subject,
            path: WHOAMI,
            presented,
            is_good: true,
            connections: MANY,
            meanwhile: None,
        }
    }

    fn doing_nothing(&self, presented: Presented) -> Load<'_> {
        Load { server: &self.reference, path: REFERENCE, ..self.presenting("empty handler", presented) }
    }

    fn place(&self, place: u64) -> Presented {
        Presented::Header(bearing(&self.text(keys::in_the_middle(self.options.keys, place))))
    }

    fn text(&self, number: u64) -> String {
        keys::key(&self.format, number).reveal().to_owned()
    }

    /// A file of active keys beside the installation that stores them.
    fn drawn_from(&self, installation: &Installation, stored: u64, count: u64) -> Result<Presented> {
        let texts: Vec<_> = keys::in_use(stored, count).map(|number| self.text(number)).collect();
        let file: PathBuf = installation.folder().join(format!("{count}_keys"));
        fs::write(&file, texts.join("\n"))?;
        Ok(Presented::AtRandom(file))
    }

    fn either(&self, asked: fn(f64) -> Asked, sqlite: f64, postgres: f64) -> Asked {
        asked(match self.installations.backend {
            Backend::Sqlite => sqlite,
            Backend::Postgres => postgres,
        })
    }

    fn alternate(&self, loads: &[Load]) -> Result<Vec<Vec<Sample>>> {
        self.options.turns.alternate(loads)
    }
}

/// The header that presents a key.
fn bearing(key: &str) -> String {
    format!("Authorization: Bearer {key}")
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
