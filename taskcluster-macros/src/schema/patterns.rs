//! Translates the patterns of schemas, which are ECMA-262's, for the engines of Rust.
//!
//! The engines of Rust have neither look-around nor back-references, and read some escapes differently. What they read alike
//! stays as it is.

use std::iter::Peekable;
use std::str::Chars;

/// The engine that a pattern is translated for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Engine {
    /// The runtime's own, `regex-lite`: it does not know Unicode's classes.
    Lite,
    /// That of the kept validator, `regex`.
    Full,
}

/// Translates a pattern.
///
/// # Errors
///
/// Says what the engine cannot do.
pub(super) fn translate(pattern: &str, engine: Engine) -> Result<String, String> {
    let mut translation =
        Translation { rest: pattern.chars().peekable(), out: String::new(), engine, groups: 0 };
    while translation.rest.peek().is_some() {
        translation.token()?;
    }
    match translation.groups {
        0 => Ok(translation.out),
        _ => Err("a group that does not end".to_owned()),
    }
}

/// What a pattern asks for: that one matches, or that it does not.
pub(super) struct Demand {
    pub(super) matches: bool,
    pub(super) pattern: String,
}

/// Splits a pattern for the runtime's engine into patterns without the look-aheads at its start, all of which must be met.
///
/// # Errors
///
/// Says what the engine cannot do.
pub(super) fn demands(pattern: &str) -> Result<Vec<Demand>, String> {
    let ahead = pattern.strip_prefix('^').unwrap_or_default();
    let matches = ahead.starts_with("(?=");
    let (Some(end), true) = (end_of_group(ahead), matches || ahead.starts_with("(?!")) else {
        return Ok(vec![Demand { matches: true, pattern: translate(pattern, Engine::Lite)? }]);
    };
    let (inside, rest) = (&ahead[3..end], &ahead[end + 1..]);
    let inside = translate(&format!("^(?:{inside})"), Engine::Lite)?;
    let mut demands = vec![Demand { matches, pattern: inside }];
    demands.extend(self::demands(&format!("^{rest}"))?);
    Ok(demands)
}

/// Where the group at the start ends, if the pattern has no alternatives outside of groups.
fn end_of_group(pattern: &str) -> Option<usize> {
    let (mut depth, mut in_class, mut end) = (0_usize, false, None);
    let mut bytes = pattern.bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'[' => in_class = true,
            b']' => in_class = false,
            b'(' if !in_class => depth += 1,
            b')' if !in_class => {
                depth = depth.checked_sub(1)?;
                if depth == 0 && end.is_none() {
                    end = Some(index);
                }
            }
            b'|' if !in_class && depth == 0 => return None,
            _ => {}
        }
    }
    end
}

/// White space of ECMA-262, and everything else.
const SPACE: &str =
    r"\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}";
const NO_SPACE: &str = r"\x{0}-\x{8}\x{e}-\x{1f}!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}";
const NO_DIGIT: &str = r"\x{0}-/:-\x{10ffff}";
const NO_WORD: &str = r"\x{0}-/:-@\[-\^`\{-\x{10ffff}";
/// What `.` matches.
const NO_LINE_END: &str = r"[^\n\r\x{2028}\x{2029}]";

struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    engine: Engine,
    groups: usize,
}

impl Translation<'_> {
    fn token(&mut self) -> Result<(), String> {
        let Some(letter) = self.rest.next() else { return Ok(()) };
        match letter {
            '\\' => self.escape(false)?,
            '[' => self.class()?,
            '.' => self.out.push_str(NO_LINE_END),
            '(' => self.group()?,
            ')' if self.groups == 0 => return Err("a group that does not begin".to_owned()),
            ')' => {
                self.groups -= 1;
                self.out.push(')');
            }
            '{' => self.braces(),
            '}' | ']' => self.out.extend(['\\', letter]),
            letter => self.out.push(letter),
        }
        Ok(())
    }

    fn group(&mut self) -> Result<(), String> {
        self.groups += 1;
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        match self.rest.next() {
            Some(':') => self.out.push_str("?:"),
            Some('<') if !matches!(self.rest.peek(), Some('=' | '!')) => {
                // The name matters to back-references only.
                if !self.rest.by_ref().any(|letter| letter == '>') {
                    return Err("a group without an end to its name".to_owned());
                }
            }
            Some('=' | '!' | '<') => return Err("a look-around".to_owned()),
            _ => return Err("an unknown kind of group".to_owned()),
        }
        Ok(())
    }

    /// A count, or a brace that stands for itself.
    fn braces(&mut self) {
        let ahead: String = self.rest.clone().take_while(|letter| *letter != '}').collect();
        let (least, most) = ahead.split_once(',').unwrap_or((&ahead, ""));
        let is_number = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
        if !least.is_empty() && is_number(least) && is_number(most) {
            self.out.push_str(&format!("{{{ahead}}}"));
            let _brace = self.rest.nth(ahead.len());
        } else {
            self.out.push_str("\\{");
        }
    }

    fn class(&mut self) -> Result<(), String> {
        let start = self.out.len();
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        if self.rest.next_if_eq(&']').is_some() {
            let all = self.out[start..].len() > 1;
            self.out.truncate(start);
            self.out.push_str(if all { r"[\x{0}-\x{10ffff}]" } else { r"[^\x{0}-\x{10ffff}]" });
            return Ok(());
        }
        loop {
            match self.rest.next() {
                None => return Err("a class that does not end".to_owned()),
                Some(']') => break,
                Some('\\') => self.escape(true)?,
                Some('[') => self.out.push_str("\\["),
                // Two of them would join classes for these engines.
                Some(letter @ ('&' | '~' | '-')) if self.out.ends_with(letter) => {
                    self.out.extend(['\\', letter]);
                }
                Some(letter) => self.out.push(letter),
            }
        }
        self.out.push(']');
        Ok(())
    }

    /// What follows a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(letter) = self.rest.next() else {
            return Err("a backslash at the end".to_owned());
        };
        let all = |inside: &str| if in_class { inside.to_owned() } else { format!("[{inside}]") };
        match letter {
            'd' | 'w' if self.engine == Engine::Lite => self.out.extend(['\\', letter]),
            'd' => self.out.push_str(&all("0-9")),
            'w' => self.out.push_str(&all("0-9A-Za-z_")),
            'D' => self.out.push_str(&all(NO_DIGIT)),
            'W' => self.out.push_str(&all(NO_WORD)),
            's' => self.out.push_str(&all(SPACE)),
            'S' => self.out.push_str(&all(NO_SPACE)),
            'b' if in_class => self.out.push_str("\\x{8}"),
            'b' | 'B' if in_class || self.engine == Engine::Lite => {
                self.out.extend(['\\', letter]);
            }
            'b' | 'B' => self.out.push_str(&format!("(?-u:\\{letter})")),
            't' | 'n' | 'r' | 'v' | 'f' => self.out.extend(['\\', letter]),
            '0' if !self.rest.peek().is_some_and(char::is_ascii_digit) => self.code(0)?,
            '0'..='9' | 'k' => return Err("a back-reference".to_owned()),
            'c' => match self.rest.next() {
                Some(letter) if letter.is_ascii_alphabetic() => {
                    self.code(u32::from(letter) % 32)?
                }
                _ => return Err("an unknown control character".to_owned()),
            },
            'x' => {
                let code = self.digits(2)?;
                self.code(code)?;
            }
            'u' => {
                let code = self.unicode()?;
                self.code(code)?;
            }
            'p' | 'P' if self.engine == Engine::Full => {
                let name: String = self.rest.by_ref().take_while(|letter| *letter != '}').collect();
                let Some(name) = name.strip_prefix('{') else {
                    return Err("a property without a name".to_owned());
                };
                self.out.push_str(&format!("\\{letter}{{{name}}}"));
            }
            'p' | 'P' => return Err("a property of Unicode".to_owned()),
            '<' | '>' => self.out.push(letter),
            letter if letter.is_ascii_punctuation() => self.out.extend(['\\', letter]),
            letter if letter.is_ascii_alphanumeric() => {
                return Err(format!("an unknown escape, `\\{letter}`"));
            }
            letter => self.out.push(letter),
        }
        Ok(())
    }

    fn code(&mut self, code: u32) -> Result<(), String> {
        if char::from_u32(code).is_none() {
            return Err("half a character".to_owned());
        }
        self.out.push_str(&format!("\\x{{{code:x}}}"));
        Ok(())
    }

    fn unicode(&mut self) -> Result<u32, String> {
        if self.rest.next_if_eq(&'{').is_some() {
            let digits: String = self.rest.by_ref().take_while(|letter| *letter != '}').collect();
            return u32::from_str_radix(&digits, 16).map_err(|_| "an unknown code".to_owned());
        }
        let code = self.digits(4)?;
        if !(0xd800..0xdc00).contains(&code) {
            return Ok(code);
        }
        // A character of two halves.
        if [self.rest.next(), self.rest.next()] != [Some('\\'), Some('u')] {
            return Err("half a character".to_owned());
        }
        let low = self.digits(4)?;
        match low.checked_sub(0xdc00) {
            Some(low) if low < 0x400 => Ok(0x10000 + ((code - 0xd800) << 10) + low),
            _ => Err("half a character".to_owned()),
        }
    }

    fn digits(&mut self, count: usize) -> Result<u32, String> {
        let digits: String = self.rest.by_ref().take(count).collect();
        match u32::from_str_radix(&digits, 16) {
            Ok(code) if digits.len() == count => Ok(code),
            _ => Err("an unknown code".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engines_read_alike_stays_as_it_is() {
        for pattern in [
            "^([a-zA-Z0-9-_]*)$",
            r"^[A-Za-z0-9_-]{8}[Q-T]$",
            "^[ -~]*$",
            r"^a(?:b|c)+?\.\/\d{1,3}(x){2,}$",
        ] {
            assert_eq!(translate(pattern, Engine::Lite).as_deref(), Ok(pattern));
        }
    }

    #[test]
    fn what_they_read_otherwise_is_translated() {
        for (pattern, lite, full) in [
            (r"\w\b", r"\w\b", r"[0-9A-Za-z_](?-u:\b)"),
            (r"a.b", r"a[^\n\r\x{2028}\x{2029}]b", r"a[^\n\r\x{2028}\x{2029}]b"),
            (
                r"\cA\x41\u0042\u{43}\0",
                r"\x{1}\x{41}\x{42}\x{43}\x{0}",
                r"\x{1}\x{41}\x{42}\x{43}\x{0}",
            ),
            (r"\ud83d\udc32", r"\x{1f432}", r"\x{1f432}"),
            (r"[[&&~]{a}", r"[\[&\&~]\{a\}", r"[\[&\&~]\{a\}"),
            (r"(?<year>\d)", r"(\d)", r"([0-9])"),
            (r"[^]", r"[\x{0}-\x{10ffff}]", r"[\x{0}-\x{10ffff}]"),
        ] {
            assert_eq!(translate(pattern, Engine::Lite).as_deref(), Ok(lite));
            assert_eq!(translate(pattern, Engine::Full).as_deref(), Ok(full));
        }
        assert_eq!(translate(r"^\s$", Engine::Lite), Ok(format!("^[{SPACE}]$")));
    }

    #[test]
    fn look_aheads_at_the_start_are_patterns_of_their_own() {
        let of = |pattern: &str| {
            let demands = demands(pattern).unwrap().into_iter();
            demands.map(|demand| (demand.matches, demand.pattern)).collect::<Vec<_>>()
        };
        let yes = |pattern: &str| (true, pattern.to_owned());
        let no = |pattern: &str| (false, pattern.to_owned());
        assert_eq!(of("^(?!x)[a-z]+$"), [no("^(?:x)"), yes("^[a-z]+$")]);
        assert_eq!(
            of(r"^(?=a(b|\)))(?![)|])c"),
            [yes(r"^(?:a(b|\)))"), no("^(?:[)|])"), yes("^c")]
        );
        assert_eq!(of("^(a|b)"), [yes("^(a|b)")]);
        assert!(demands("^(?!x)a|b").is_err());
        assert!(demands("a(?!x)").is_err());
    }

    #[test]
    fn what_they_cannot_do_is_said() {
        for (pattern, why) in [
            ("(?=a)", "a look-around"),
            ("(?<!a)", "a look-around"),
            (r"(a)\1", "a back-reference"),
            (r"\Z", "an unknown escape, `\\Z`"),
            (r"\ud83d", "half a character"),
            ("(a", "a group that does not end"),
            ("[a", "a class that does not end"),
        ] {
            assert_eq!(translate(pattern, Engine::Full), Err(why.to_owned()));
        }
        assert_eq!(translate(r"\p{L}", Engine::Lite), Err("a property of Unicode".to_owned()));
        assert_eq!(translate(r"\p{L}", Engine::Full).as_deref(), Ok(r"\p{L}"));
    }
}
