//! Numbers of bytes with the suffixes `K`, `M`, `G` and `T`, which are powers of 1024.

/// Reads a number of bytes.
pub fn parse(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        Some((at, 't' | 'T')) => (&text[..at], 40),
        _ => (text, 0),
    };
    let parsed = match digits.strip_prefix("0x") {
        Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).ok(),
        None => digits.parse::<u64>().ok(),
    };
    parsed
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "expected a number of bytes such as 65536, 64K, 32M or 4G".to_owned())
}

/// Shows a number of bytes for people.
pub fn show(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}

/// Shows a count with its thousands apart.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_powers_of_1024() {
        assert_eq!(parse("4G"), Ok(4 << 30));
        assert_eq!(parse("0x10k"), Ok(16 << 10));
        assert!(parse("99999999T").is_err());
        assert!(parse("").is_err());
        assert!(parse("-1").is_err());
    }

    #[test]
    fn counts_have_groups_of_three() {
        assert_eq!(count(1_411), "1,411");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(count(7), "7");
    }
}
