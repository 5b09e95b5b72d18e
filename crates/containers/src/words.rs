//! Numbers and lists in sentences.

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 image`, `1,200 images`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count as u64), if count == 1 { "" } else { "s" })
}

/// `1, 2 and 3`, or for very many `1, 2 and 30 more`.
pub(crate) fn list(texts: &[String]) -> String {
    const NAMED: usize = 10;
    match texts.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) if texts.len() <= NAMED => format!("{} and {last}", rest.join(", ")),
        Some(_) => format!("{} and {} more", texts[..NAMED - 1].join(", "), texts.len() - NAMED + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let expected = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (47_040_016, "47,040,016"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ];
        for (number, text) in expected {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn numbers_and_lists_are_written_out() {
        assert_eq!([0, 999, 1_000, 4_702_016].map(thousands), ["0", "999", "1,000", "4,702,016"]);
        assert_eq!([counted(1, "image"), counted(1_200, "image")], ["1 image", "1,200 images"]);
        let texts = |count: usize| (0..count).map(|text| text.to_string()).collect::<Vec<_>>();
        assert_eq!([list(&texts(1)), list(&texts(3))], ["0", "0, 1 and 2"]);
        assert_eq!(list(&texts(12)), "0, 1, 2, 3, 4, 5, 6, 7, 8 and 3 more");
    }
}
