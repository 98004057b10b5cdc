//! The known name that is nearest to one that is not known.

/// ` (did you mean …?)` with the nearest name, or nothing where none is near.
pub(super) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    // Whoever writes a long name may be wrong in more letters.
    let most = (name.chars().count() / 3).clamp(1, 6);
    let nearest = known
        .map(|candidate| (distance(name, candidate), candidate))
        .min_by_key(|(distance, candidate)| (*distance, candidate.len()));
    match nearest {
        Some((distance, candidate)) if distance <= most => {
            format!(" (did you mean `{candidate}`?)")
        }
        _ => String::new(),
    }
}

/// How many letters have to be inserted, removed or replaced, or neighbours swapped.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            if i == 0 || j == 0 {
                rows[i][j] = i + j;
                continue;
            }
            let differs = usize::from(one[i - 1] != other[j - 1]);
            let mut least = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("haswell", "haswell", 0),
            ("haswel", "haswell", 1),
            ("aarhc64", "aarch64", 1),
            ("riscv46", "riscv64", 1),
            ("znver3", "znver4", 1),
        ] {
            assert_eq!(distance(one, other), expected);
            assert_eq!(distance(other, one), expected);
        }
    }

    #[test]
    fn what_is_not_near_is_not_suggested() {
        let known = || ["haswell", "skylake"].into_iter();
        assert_eq!(suggestion("haswel", known()), " (did you mean `haswell`?)");
        assert_eq!(suggestion("z15", known()), "");
    }
}
