//! Finds the mistakes in a regular expression that no engine reads.
//!
//! Schemas are checked by engines of many languages. What any of them takes is right here; an unclosed group is right nowhere.

/// What is wrong with a regular expression, if anything is.
pub(super) fn mistake(pattern: &str) -> Option<String> {
    // In ECMA-262, `[]` is an empty class; elsewhere a `]` in the first place stands for itself.
    let as_ecma = Scanner::new(pattern, false).mistake()?;
    Scanner::new(pattern, true).mistake().map(|_| as_ecma)
}

struct Scanner<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    first_bracket_is_literal: bool,
}

impl<'a> Scanner<'a> {
    fn new(pattern: &'a str, first_bracket_is_literal: bool) -> Self {
        Self { rest: pattern.chars().peekable(), first_bracket_is_literal }
    }

    fn mistake(mut self) -> Option<String> {
        let mut groups = 0_usize;
        // Whether a quantifier may follow.
        let mut repeatable = false;
        while let Some(c) = self.rest.next() {
            match c {
                '\\' if self.rest.next().is_none() => return Some("ends with `\\`".to_owned()),
                '[' => {
                    if let Some(mistake) = self.class() {
                        return Some(mistake);
                    }
                }
                '(' => {
                    groups += 1;
                    // The `?` of `(?:` and its like.
                    self.rest.next_if_eq(&'?');
                    repeatable = false;
                    continue;
                }
                ')' => match groups.checked_sub(1) {
                    Some(left) => groups = left,
                    None => return Some("closes a group that is not open".to_owned()),
                },
                '|' => {
                    repeatable = false;
                    continue;
                }
                '*' | '+' | '?' if !repeatable => {
                    return Some(format!("has nothing before `{c}` to repeat"));
                }
                '{' => {
                    if let Some(mistake) = self.counts() {
                        return Some(mistake);
                    }
                }
                _ => {}
            }
            repeatable = true;
        }
        (groups > 0).then(|| "has a group that is not closed".to_owned())
    }

    /// What follows the bracket that opens a class.
    fn class(&mut self) -> Option<String> {
        self.rest.next_if_eq(&'^');
        if self.first_bracket_is_literal {
            self.rest.next_if_eq(&']');
        }
        let (mut before, mut in_range) = (None, false);
        loop {
            let one = match self.rest.next() {
                None => return Some("has a class that is not closed".to_owned()),
                Some(']') => return None,
                Some('-') if before.is_some() && !in_range => {
                    in_range = true;
                    continue;
                }
                // A class in the class, as `[:alpha:]` or of Rust: its bounds are those of no range.
                Some('[') if self.rest.peek() == Some(&':') => {
                    self.rest.by_ref().find(|c| *c == ']');
                    None
                }
                // What an escape stands for is for the engine to say.
                Some('\\') => {
                    self.rest.next();
                    None
                }
                Some(c) => Some(c),
            };
            if let (true, Some(from), Some(to)) = (in_range, before, one)
                && from > to
            {
                return Some(format!("has the range `{from}-{to}`, which is out of order"));
            }
            before = if in_range { None } else { one };
            in_range = false;
        }
    }

    /// What follows a `{`, which stands for itself unless it is `{2}`, `{2,}` or `{2,3}`.
    fn counts(&mut self) -> Option<String> {
        let text: String = self.rest.clone().take_while(|c| *c != '}').take(24).collect();
        let (least, most) = text.split_once(',')?;
        let (least, most) = (least.parse::<u64>().ok()?, most.parse::<u64>().ok()?);
        (least > most).then(|| format!("has the count `{{{text}}}`, which is out of order"))
    }
}

#[cfg(test)]
mod tests {
    use super::mistake;

    #[test]
    fn what_some_engine_reads_is_right() {
        for pattern in [
            "",
            "^[a-zA-Z0-9-_]{1,38}$",
            "^(?!foo)(?<name>x)(?P<name>y)(?i)a*?$",
            r"^\p{L}\d[\w-.]\/\]$",
            "[]a]",
            "[^]]",
            "[[:alpha:]-z]",
            "a{,2}{2}{",
            "a++b**",
            "]}",
            r"[\]a-]",
            "[](]",
            "(|a)",
            "(?:)*",
            r"[\u0000-\u001f]",
            "[+--]",
        ] {
            assert_eq!(mistake(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn what_no_engine_reads_is_wrong() {
        for (pattern, why) in [
            ("^[a-z", "has a class that is not closed"),
            ("(a", "has a group that is not closed"),
            ("a)", "closes a group that is not open"),
            ("*a", "has nothing before `*` to repeat"),
            ("a|+", "has nothing before `+` to repeat"),
            ("(*)", "has nothing before `*` to repeat"),
            ("a\\", "ends with `\\`"),
            ("[z-a]", "has the range `z-a`, which is out of order"),
            ("a{3,2}", "has the count `{3,2}`, which is out of order"),
        ] {
            assert_eq!(mistake(pattern).as_deref(), Some(why), "{pattern}");
        }
    }
}
