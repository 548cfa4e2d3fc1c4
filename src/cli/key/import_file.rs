//! The file of an import: reads its rows, and finds everything that is wrong with them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Trim};
use secrecy::zeroize::Zeroizing;

use super::expiry;
use crate::actions::{Actions, ImportedKey, MAX_IMPORTED_KEYS};
use crate::cli::error::CliError;
use crate::cli::open::user_by_email;
use crate::domain::ids::UserId;
use crate::domain::key::api_key::Preview;
use crate::domain::key::digest::{DigestKind, PresentedDigests};
use crate::domain::policy::key_policy::RequestedExpiry;
use crate::domain::text::escape::Quoted;
use crate::domain::text::name::ServiceAccountName;
use crate::domain::text::normalize::parse_hex;
use crate::domain::user::email::EmailAddress;
use crate::store::{Company, StoreError};

/// A row of a digest, with an owner, has about 150 bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// What is wrong with a line of the file. It repeats nothing of the line, which may hold a key.
#[derive(Debug)]
pub(super) struct LineFault {
    pub(super) line: u64,
    pub(super) sentence: String,
}

/// The rows of a file.
#[derive(Debug, Default)]
pub(super) struct ImportFile {
    pub(super) keys: Vec<ImportedKey>,
    /// The line of each key.
    pub(super) lines: Vec<u64>,
    pub(super) faults: Vec<LineFault>,
    pub(super) rows: usize,
}

/// The positions of the columns.
#[derive(Clone, Copy, Debug, Default)]
struct ColumnPositions {
    name: Option<usize>,
    key: Option<usize>,
    digest: Option<usize>,
    owner: Option<usize>,
    expires: Option<usize>,
    count: usize,
}

/// Reads the bytes of a file, or of standard input for a hyphen. They may hold keys.
pub(super) fn read_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let unreadable =
        |error: io::Error| CliError(format!("The file {} cannot be read: {error}.", Quoted(path.display())));
    let mut bytes = Zeroizing::new(Vec::new());
    if path.as_os_str() == "-" {
        io::stdin().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        File::open(path).map_err(unreadable)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err("The file is larger than 64 MiB. Split it.".into());
    }
    Ok(bytes)
}

/// Reads the rows of a file. `default_owner` owns the keys whose row names no owner.
pub(super) fn read_rows(
    bytes: &[u8],
    actions: &Actions,
    company: &Company,
    default_owner: Option<UserId>,
) -> Result<ImportFile, CliError> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(bytes);
    let columns = ColumnPositions::parse(reader.byte_headers().map_err(|error| damaged(&error))?)?;
    let mut owners = OwnerCache { actions, company, default: default_owner, known: HashMap::new() };
    let (mut file, mut record) = (ImportFile::default(), ByteRecord::new());
    while reader.read_byte_record(&mut record).map_err(|error| damaged(&error))? {
        let line = record.position().map_or(0, csv::Position::line);
        file.rows += 1;
        if file.rows > MAX_IMPORTED_KEYS {
            return Err(CliError(format!(
                "The file has more than {MAX_IMPORTED_KEYS} keys. Split it, and import each part by itself."
            )));
        }
        let mut sentences = Vec::new();
        match parse_row(&record, columns, &mut owners, &mut sentences)? {
            Some(key) if sentences.is_empty() => {
                file.keys.push(key);
                file.lines.push(line);
            }
            _ => file.faults.extend(sentences.into_iter().map(|sentence| LineFault { line, sentence })),
        }
    }
    Ok(file)
}

fn damaged(error: &csv::Error) -> CliError {
    CliError(format!("The file is not CSV: {error}."))
}

impl ColumnPositions {
    fn parse(header: &ByteRecord) -> Result<Self, CliError> {
        let mut columns = Self { count: header.len(), ..Self::default() };
        for (index, name) in header.iter().enumerate() {
            let name = String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_ascii_lowercase();
            let column = match name.as_str() {
                "name" => &mut columns.name,
                "key" => &mut columns.key,
                "digest" => &mut columns.digest,
                "owner" => &mut columns.owner,
                "expires" | "expiry" => &mut columns.expires,
                // A file without a header begins with a row, which may hold a key.
                _ => {
                    return Err(CliError(format!(
                        "Column {} of the first line is not known. Name the columns there, separated by commas: name, key or digest, owner, expires.",
                        index + 1
                    )));
                }
            };
            if column.replace(index).is_some() {
                return Err(CliError(format!("Column {} of the first line has the name of another one.", index + 1)));
            }
        }
        if columns.name.is_none() || columns.key.or(columns.digest).is_none() {
            return Err("The first line names no column “name”, or neither “key” nor “digest”. Add it.".into());
        }
        Ok(columns)
    }
}

/// Finds owners by their email addresses, each once.
struct OwnerCache<'a> {
    actions: &'a Actions,
    company: &'a Company,
    default: Option<UserId>,
    known: HashMap<String, Option<UserId>>,
}

impl OwnerCache<'_> {
    fn find(&mut self, email: &str) -> Result<Option<UserId>, StoreError> {
        if email.is_empty() {
            return Ok(self.default);
        }
        if let Some(known) = self.known.get(email) {
            return Ok(*known);
        }
        let user = match EmailAddress::parse(email) {
            Ok(address) => self.actions.store.read(|db| user_by_email(db, &address))?,
            Err(_) => None,
        };
        let id = user.filter(|user| user.company_id == self.company.id).map(|user| user.id);
        self.known.insert(email.to_owned(), id);
        Ok(id)
    }
}

/// Parses a row. Adds everything that is wrong with it to `sentences`.
fn parse_row(
    record: &ByteRecord,
    columns: ColumnPositions,
    owners: &mut OwnerCache<'_>,
    sentences: &mut Vec<String>,
) -> Result<Option<ImportedKey>, StoreError> {
    if record.len() != columns.count {
        sentences.push(format!("The line has {} columns instead of {}.", record.len(), columns.count));
        return Ok(None);
    }
    let cell = |column: Option<usize>| std::str::from_utf8(column.map_or(&b""[..], |index| &record[index]));
    let cells = [columns.name, columns.key, columns.digest, columns.owner, columns.expires].map(cell);
    let [Ok(name), Ok(key), Ok(digest), Ok(owner), Ok(expires)] = cells else {
        sentences.push("The line is not UTF-8.".to_owned());
        return Ok(None);
    };
    let mut refuse = |sentence: String| sentences.push(sentence);
    let name = match ServiceAccountName::parse(name) {
        _ if owners.actions.key_format.is_contained_in(name) => {
            refuse("The name contains an API key.".to_owned());
            None
        }
        name => name.map_err(|error| refuse(error.to_string())).ok(),
    };
    let stored = stored_digest(owners.actions, key, digest).map_err(|sentence| refuse(sentence.to_owned())).ok();
    let expiry =
        expiry::parse(expires).map_err(|expected| refuse(format!("The expiry is not known: {expected}."))).ok();
    let owner = owners.find(owner)?;
    if owner.is_none() {
        refuse("The owner is no user of the company. Give the email address of one.".to_owned());
    }
    let (Some(name), Some(stored), Some(expiry), Some(owner)) = (name, stored, expiry, owner) else { return Ok(None) };
    Ok(Some(stored.into_key(name, expiry, owner)))
}

/// What is stored of a key.
struct StoredDigest {
    kind: DigestKind,
    preview: Preview,
    digests: PresentedDigests,
    pepper_id: String,
}

impl StoredDigest {
    fn into_key(self, name: ServiceAccountName, expiry: RequestedExpiry, owner: UserId) -> ImportedKey {
        ImportedKey {
            name,
            digests: self.digests,
            digest_kind: self.kind,
            pepper_id: self.pepper_id,
            preview: self.preview,
            expiry,
            owner,
        }
    }
}

fn stored_digest(actions: &Actions, key: &str, digest: &str) -> Result<StoredDigest, &'static str> {
    let keyring = actions.secrets.keyring();
    let (peppers, pepper_id) = (keyring.peppers(), keyring.active().id().to_owned());
    match (key.is_empty(), digest.is_empty()) {
        (false, true) => {
            let parsed = actions.key_format.parse(key);
            let key = parsed.map_err(|_| "The key does not have the format of this installation's keys.")?;
            let digests = key.presented(peppers);
            Ok(StoredDigest { kind: DigestKind::Key, preview: key.preview(), digests, pepper_id })
        }
        (true, false) => {
            let digits = digest.to_ascii_lowercase();
            let sha256: [u8; 32] = parse_hex(digits.strip_prefix("sha256:").unwrap_or(&digits))
                .ok_or("The digest is not a SHA-256 of 64 hexadecimal digits.")?;
            let (preview, digests) = (Preview::of_sha256(&sha256), peppers.presented_sha256(&sha256));
            Ok(StoredDigest { kind: DigestKind::Sha256, preview, digests, pepper_id })
        }
        (true, true) => Err("The line has neither a key nor a digest."),
        (false, false) => Err("The line has both a key and a digest. Give one of them."),
    }
}
