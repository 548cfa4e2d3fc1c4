//! The second factor: codes of an authenticator app (TOTP, RFC 6238), and the recovery codes that stand in for it.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretBox};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use super::ids::UserId;
use super::instant::Instant;
use super::mac;

/// How many recovery codes there are at first.
pub const RECOVERY_CODES: usize = 10;
/// Seconds that one code is for, RFC 6238 section 5.2.
const PERIOD: u64 = 30;
/// A code may be so many periods early or late: clocks differ, and people type slowly (RFC 6238 section 6).
const TOLERANCE: i64 = 1;
/// Characters of a recovery code: Crockford's base 32, which has no I, L, O and U.
const RECOVERY_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const RECOVERY_LENGTH: usize = 12;

/// What is stored of an authenticator's secret: useless without the key in the secrets file.
pub type Seed = [u8; 20];

/// The number of a period of 30 seconds, counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(pub i64);

/// The key from which authenticator secrets and the digests of recovery codes are made.
pub struct SecondFactorKey(SecretBox<[u8; 32]>);

impl fmt::Debug for SecondFactorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondFactorKey(…)")
    }
}

impl SecondFactorKey {
    /// The key that belongs to 32 secret bytes which also serve another purpose (RFC 5869 section 2.3, one block).
    #[must_use]
    pub fn derived_from(secret: &[u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(mac::over(secret, &[b"keydesk second factor\x01"]))))
    }

    /// The secret that a user's authenticator app holds.
    #[must_use]
    pub fn authenticator(&self, user: UserId, seed: &Seed) -> Authenticator {
        let bytes = mac::over(self.0.expose_secret(), &[b"authenticator\0", user.to_string().as_bytes(), seed]);
        let mut secret = [0; 20];
        secret.copy_from_slice(&bytes[..20]);
        Authenticator(secret)
    }

    /// What is stored of a recovery code, as somebody typed it: capitals, spaces and dashes do not matter, nor an O for
    /// a zero, an I or an L for a one.
    #[must_use]
    pub fn recovery_digest(&self, user: UserId, typed: &str) -> [u8; 32] {
        let code: String = typed.chars().filter(char::is_ascii_alphanumeric).map(as_meant).collect();
        mac::over(self.0.expose_secret(), &[b"recovery\0", user.to_string().as_bytes(), code.as_bytes()])
    }
}

/// The secret of an authenticator app: SHA-1, six digits, 30 seconds, which is what every app understands.
pub struct Authenticator([u8; 20]);

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(…)")
    }
}

impl Authenticator {
    /// The secret as people type it: base 32.
    #[must_use]
    pub fn reveal(&self) -> String {
        Secret::new_stack(self.0).to_base32()
    }

    /// The `otpauth` address that a QR code carries.
    #[must_use]
    pub fn address(&self, platform: &str, email: &str) -> Option<String> {
        let word = |text: &str| text.replace(':', " ");
        self.totp().with_issuer(Some(word(platform))).with_account_name(word(email)).build().ok()?.to_url().ok()
    }

    /// The period whose code this is, where it is a code of now, of the period before or of the one after, and was not
    /// used. After a code no older one is taken, except that of the period just before it.
    #[must_use]
    pub fn check(&self, typed: &str, now: Instant, used: &[Step]) -> Option<Step> {
        let typed: String = typed.chars().filter(|character| !character.is_whitespace()).collect();
        let totp = self.totp().build_noncompliant();
        let current = step_at(now)?.0;
        let oldest = used.iter().max().map_or(i64::MIN, |newest| newest.0 - 1);
        (current - TOLERANCE..=current + TOLERANCE)
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

fn step_at(now: Instant) -> Option<Step> {
    let period = Duration::from_secs(PERIOD).as_micros();
    i64::try_from(period).ok().map(|period| Step(now.as_micros().div_euclid(period)))
}

fn is_code_of(totp: &Totp, step: i64, typed: &str) -> bool {
    u64::try_from(step).is_ok_and(|step| totp.check(typed, step.saturating_mul(PERIOD)).is_some())
}

fn as_meant(typed: char) -> char {
    match typed.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    }
}

/// A new recovery code of 60 random bits: `abcd-efgh-jkmn`.
#[must_use]
pub fn recovery_code(random: [u8; RECOVERY_LENGTH]) -> String {
    let mut code = String::with_capacity(RECOVERY_LENGTH + 2);
    for (place, byte) in random.into_iter().enumerate() {
        if place > 0 && place.is_multiple_of(4) {
            code.push('-');
        }
        code.push(char::from(RECOVERY_ALPHABET[usize::from(byte % 32)]));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B has codes of eight digits; the last six of them are the codes of six.
    const RFC: Authenticator = Authenticator(*b"12345678901234567890");
    const AT_59: Instant = Instant::from_micros(59_000_000);

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    fn user(seed: u8) -> UserId {
        UserId::new(Instant::from_micros(0), &[seed; 10])
    }

    #[test]
    fn the_codes_of_rfc_6238_are_accepted_at_their_time() {
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
    fn a_code_is_taken_one_period_early_or_late_and_typed_with_spaces() {
        assert_eq!(RFC.check(" 287 082 ", AT_59, &[]), Some(Step(1)));
        assert_eq!(RFC.check("287082", at(0), &[]), Some(Step(1)));
        assert_eq!(RFC.check("287082", at(89), &[]), Some(Step(1)));
        assert_eq!(RFC.check("287082", at(90), &[]), None);
        for wrong in ["", "28708", "2870822", "287083", "２８７０８２", "abcdef", "94287082"] {
            assert_eq!(RFC.check(wrong, AT_59, &[]), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_is_good_once_and_a_clock_that_goes_back_is_tolerated_by_one_period() {
        let code = |step: i64| RFC.totp().build_noncompliant().generate(u64::try_from(step).unwrap() * 30).to_string();
        let now = at(100 * 30);
        assert_eq!(RFC.check(&code(100), now, &[Step(100)]), None);
        assert_eq!(RFC.check(&code(101), now, &[Step(100)]), Some(Step(101)));
        assert_eq!(RFC.check(&code(99), now, &[Step(100)]), Some(Step(99)));
        assert_eq!(RFC.check(&code(99), now, &[Step(100), Step(99)]), None);
        assert_eq!(RFC.check(&code(99), now, &[Step(101)]), None);
    }

    #[test]
    fn each_user_and_each_seed_has_a_secret_of_its_own() {
        let key = SecondFactorKey::derived_from(&[1; 32]);
        let secret = |user_seed, seed: Seed| key.authenticator(user(user_seed), &seed).reveal();
        assert_eq!(secret(1, [1; 20]).len(), 32);
        assert_eq!(secret(1, [1; 20]), secret(1, [1; 20]));
        assert_ne!(secret(1, [1; 20]), secret(2, [1; 20]));
        assert_ne!(secret(1, [1; 20]), secret(1, [2; 20]));
        let other = SecondFactorKey::derived_from(&[2; 32]).authenticator(user(1), &[1; 20]);
        assert_ne!(secret(1, [1; 20]), other.reveal());
        assert!(!format!("{key:?}{other:?}").contains(&other.reveal()));
    }

    #[test]
    fn the_address_names_platform_and_person() {
        assert_eq!(
            RFC.address("Go Autonomous", "maria@brightwater.example").unwrap(),
            "otpauth://totp/Go%20Autonomous:maria%40brightwater.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Go%20Autonomous"
        );
        assert!(RFC.address("Keys: ours", "a@b.example").is_some());
    }

    #[test]
    fn a_recovery_code_is_recognised_however_it_is_typed() {
        let key = SecondFactorKey::derived_from(&[1; 32]);
        let code = recovery_code([0, 1, 2, 3, 4, 5, 30, 31, 32, 33, 254, 255]);
        assert_eq!(code, "0123-45yz-01yz");
        let digest = key.recovery_digest(user(1), &code);
        assert_eq!(key.recovery_digest(user(1), " OL2345YZ oiyz "), digest);
        assert_ne!(key.recovery_digest(user(2), &code), digest);
        assert_ne!(key.recovery_digest(user(1), "0123-45yz-01yy"), digest);
    }
}
