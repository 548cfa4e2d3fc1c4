//! The second factor: the codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::domain::ids::UserId;
use crate::domain::mac;
use crate::domain::timestamp::Timestamp;

pub const RECOVERY_CODE_COUNT: usize = 10;
/// The longest name in an `otpauth` URL, percent-encoded: the URL has up to three, and a QR code holds 2,331 bytes.
const MAX_LABEL_BYTES: usize = 300;
/// The lifetime of a code in seconds, RFC 6238 section 5.2.
const PERIOD: u64 = 30;
/// A code is accepted this many periods early or late: clocks differ, and people type slowly (RFC 6238 section 6).
const MAX_SKEW_PERIODS: i64 = 1;
/// Crockford's base 32, which has no I, L, O and U.
const RECOVERY_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const RECOVERY_CHARS: usize = 12;

/// The kind of a code that completes a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    Authenticator,
    RecoveryCode,
}

/// The stored part of an authenticator's secret. It is useless without the key in the secrets file.
pub type Seed = [u8; 20];

/// What is stored of an authenticator's secret, besides the seed, that was first derived by another key. Alone and with
/// the seed it reveals nothing.
pub type Mask = [u8; 20];

/// A period of 30 seconds, counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(pub i64);

/// The key that derives authenticator secrets and the digests of recovery codes.
pub struct SecondFactorKey(SecretBox<[u8; 32]>);

impl fmt::Debug for SecondFactorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondFactorKey(…)")
    }
}

impl SecondFactorKey {
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(secret)))
    }

    /// Derives the key from secret bytes that also serve another purpose (RFC 5869 section 2.3, one block).
    #[must_use]
    pub fn derived_from(secret: &[u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(mac::hmac_sha256(secret, &[b"keydesk second factor\x01"]))))
    }

    /// Returns the keyed value of a text.
    #[must_use]
    pub fn keyed_value(&self, text: &[u8]) -> [u8; 32] {
        mac::hmac_sha256(self.0.expose_secret(), &[text])
    }

    /// Returns the secret of a user's authenticator app.
    #[must_use]
    pub fn authenticator(&self, user: UserId, seed: &Seed) -> Authenticator {
        self.masked_authenticator(user, seed, &[0; 20])
    }

    /// Returns the secret of a user's authenticator app that was moved to this key, see [`Self::mask`].
    #[must_use]
    pub fn masked_authenticator(&self, user: UserId, seed: &Seed, mask: &Mask) -> Authenticator {
        let mut secret = self.derive(user, seed);
        secret.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        Authenticator(secret)
    }

    /// Returns the mask with which this key leads from a new seed to the secret that an app has already.
    #[must_use]
    pub fn mask(&self, user: UserId, seed: &Seed, authenticator: &Authenticator) -> Mask {
        self.masked_authenticator(user, seed, &authenticator.0).0
    }

    fn derive(&self, user: UserId, seed: &Seed) -> [u8; 20] {
        let bytes = mac::hmac_sha256(self.0.expose_secret(), &[b"authenticator\0", user.to_string().as_bytes(), seed]);
        let mut secret = [0; 20];
        secret.copy_from_slice(&bytes[..20]);
        secret
    }

    /// Returns the digest of a typed recovery code. Case, spaces and dashes do not matter, and O counts as 0, I and L
    /// as 1.
    #[must_use]
    pub fn recovery_digest(&self, user: UserId, typed: &str) -> [u8; 32] {
        let code: String = typed.chars().filter(char::is_ascii_alphanumeric).map(canonical_char).collect();
        mac::hmac_sha256(self.0.expose_secret(), &[b"recovery\0", user.to_string().as_bytes(), code.as_bytes()])
    }
}

/// The secret of an authenticator app. It uses SHA-1, six digits and 30 seconds, which every app supports.
pub struct Authenticator([u8; 20]);

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(…)")
    }
}

impl Authenticator {
    /// Returns the secret in base 32, for typing.
    #[must_use]
    pub fn expose_secret(&self) -> String {
        Secret::new_stack(self.0).to_base32()
    }

    /// Returns the `otpauth` URL for the QR code. Long names are shortened, so that it fits into one.
    #[must_use]
    pub fn otpauth_url(&self, platform: &str, email: &str) -> Option<String> {
        self.totp().with_issuer(Some(label(platform))).with_account_name(label(email)).build().ok()?.to_url().ok()
    }

    /// Returns the period of an unused code of the current, the previous or the next period. Once a code is used, older
    /// ones are refused, except the one of the period just before it.
    #[must_use]
    pub fn check(&self, typed: &str, now: Timestamp, used: &[Step]) -> Option<Step> {
        let typed: String = typed.chars().filter(|character| !character.is_whitespace()).collect();
        let totp = self.totp().build_noncompliant();
        let current = step_at(now)?.0;
        let oldest = used.iter().max().map_or(i64::MIN, |newest| newest.0 - 1);
        (current - MAX_SKEW_PERIODS..=current + MAX_SKEW_PERIODS)
            .filter(|step| *step >= oldest && !used.contains(&Step(*step)))
            .find(|step| is_code_of(&totp, *step, &typed))
            .map(Step)
    }

    fn totp(&self) -> Builder {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(0)
            .with_step_duration(PERIOD)
            .with_secret(Secret::new_stack(self.0))
    }
}

/// Returns a name for an `otpauth` URL, in which a colon separates names. It is shortened if it is longer than
/// [`MAX_LABEL_BYTES`].
fn label(name: &str) -> String {
    let mut free_bytes = MAX_LABEL_BYTES;
    let mut label = String::new();
    for character in name.chars().map(|character| if character == ':' { ' ' } else { character }) {
        let is_plain = character.is_ascii_alphanumeric() || "-._~".contains(character);
        let encoded_bytes = if is_plain { 1 } else { 3 * character.len_utf8() };
        let Some(left) = free_bytes.checked_sub(encoded_bytes) else {
            label.push('…');
            break;
        };
        free_bytes = left;
        label.push(character);
    }
    label
}

fn step_at(now: Timestamp) -> Option<Step> {
    let period = Duration::from_secs(PERIOD).as_micros();
    i64::try_from(period).ok().map(|period| Step(now.as_micros().div_euclid(period)))
}

fn is_code_of(totp: &Totp, step: i64, typed: &str) -> bool {
    u64::try_from(step).is_ok_and(|step| totp.check(typed, step.saturating_mul(PERIOD)).is_some())
}

fn canonical_char(typed: char) -> char {
    match typed.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    }
}

/// Returns a recovery code made of 60 random bits, such as `abcd-efgh-jkmn`.
#[must_use]
pub fn new_recovery_code(random: [u8; RECOVERY_CHARS]) -> String {
    let mut code = String::with_capacity(RECOVERY_CHARS + 2);
    for (index, byte) in random.into_iter().enumerate() {
        if index > 0 && index.is_multiple_of(4) {
            code.push('-');
        }
        code.push(char::from(RECOVERY_ALPHABET[usize::from(byte % 32)]));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B lists codes of eight digits. Their last six digits are the codes of six.
    const RFC: Authenticator = Authenticator(*b"12345678901234567890");
    const AT_59: Timestamp = Timestamp::from_micros(59_000_000);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn user(seed: u8) -> UserId {
        UserId::new(Timestamp::from_micros(0), &[seed; 10])
    }

    #[test]
    fn the_codes_of_rfc_6238_are_accepted() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(RFC.check(code, at(seconds), &[]), Some(Step(seconds / 30)), "{code}");
        }
    }

    #[test]
    fn a_code_is_accepted_one_period_early_or_late() {
        assert_eq!(RFC.check(" 287 082 ", AT_59, &[]), Some(Step(1)));
        assert_eq!(RFC.check("287082", at(0), &[]), Some(Step(1)));
        assert_eq!(RFC.check("287082", at(89), &[]), Some(Step(1)));
        assert_eq!(RFC.check("287082", at(90), &[]), None);
        for wrong in ["", "28708", "2870822", "287083", "２８７０８２", "abcdef", "94287082"] {
            assert_eq!(RFC.check(wrong, AT_59, &[]), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_works_once_and_older_ones_are_refused() {
        let code = |step: i64| RFC.totp().build_noncompliant().generate(u64::try_from(step).unwrap() * 30).to_string();
        let now = at(100 * 30);
        assert_eq!(RFC.check(&code(100), now, &[Step(100)]), None);
        assert_eq!(RFC.check(&code(101), now, &[Step(100)]), Some(Step(101)));
        assert_eq!(RFC.check(&code(99), now, &[Step(100)]), Some(Step(99)));
        assert_eq!(RFC.check(&code(99), now, &[Step(100), Step(99)]), None);
        assert_eq!(RFC.check(&code(99), now, &[Step(101)]), None);
    }

    #[test]
    fn each_user_and_seed_has_its_own_secret() {
        let key = SecondFactorKey::derived_from(&[1; 32]);
        let secret = |user_seed, seed: Seed| key.authenticator(user(user_seed), &seed).expose_secret();
        assert_eq!(secret(1, [1; 20]).len(), 32);
        assert_eq!(secret(1, [1; 20]), secret(1, [1; 20]));
        assert_ne!(secret(1, [1; 20]), secret(2, [1; 20]));
        assert_ne!(secret(1, [1; 20]), secret(1, [2; 20]));
        let other = SecondFactorKey::derived_from(&[2; 32]).authenticator(user(1), &[1; 20]);
        assert_ne!(secret(1, [1; 20]), other.expose_secret());
        assert!(!format!("{key:?}{other:?}").contains(&other.expose_secret()));
    }

    #[test]
    fn a_secret_can_be_moved_to_another_key() {
        let [former, key] = [1, 2].map(|seed| SecondFactorKey::new([seed; 32]));
        let secret = former.authenticator(user(1), &[1; 20]);
        let mask = key.mask(user(1), &[2; 20], &secret);
        assert_eq!(key.masked_authenticator(user(1), &[2; 20], &mask).0, secret.0);
        assert_ne!(key.masked_authenticator(user(2), &[2; 20], &mask).0, secret.0);
        assert_ne!(former.masked_authenticator(user(1), &[2; 20], &mask).0, secret.0);
    }

    #[test]
    fn the_url_names_the_platform_and_the_user() {
        assert_eq!(
            RFC.otpauth_url("Go Autonomous", "maria@brightwater.example").unwrap(),
            "otpauth://totp/Go%20Autonomous:maria%40brightwater.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Go%20Autonomous"
        );
        assert!(RFC.otpauth_url("Keys: ours", "a@b.example").is_some());
    }

    #[test]
    fn the_url_of_long_names_stays_short_enough_for_a_qr_code() {
        for letter in ["a", "é", "語", "𝒶"] {
            let url = RFC.otpauth_url(&letter.repeat(2_000), &format!("{}@b.example", letter.repeat(254))).unwrap();
            assert!(url.len() < 1_200 && url.contains("?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&"), "{url}");
        }
        assert_eq!(label("語語@b.example"), "語語@b.example");
        assert_eq!(label(&"語".repeat(40)), format!("{}…", "語".repeat(33)));
    }

    #[test]
    fn the_spelling_of_a_recovery_code_does_not_matter() {
        let key = SecondFactorKey::derived_from(&[1; 32]);
        let code = new_recovery_code([0, 1, 2, 3, 4, 5, 30, 31, 32, 33, 254, 255]);
        assert_eq!(code, "0123-45yz-01yz");
        let digest = key.recovery_digest(user(1), &code);
        assert_eq!(key.recovery_digest(user(1), " OL2345YZ oiyz "), digest);
        assert_ne!(key.recovery_digest(user(2), &code), digest);
        assert_ne!(key.recovery_digest(user(1), "0123-45yz-01yy"), digest);
    }
}
