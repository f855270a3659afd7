//! What codes of each grouper look like.

/// The shape of a grouper's codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeShape {
    /// `FR19`: two letters, a digit, a severity; or `FQY` (ambiguous), `000`, `0000` (not grouped).
    ChsDrg,
    /// `308`, or with severity `308-2`.
    AprDrg,
    /// `001` to `999`.
    MsDrg,
    /// Anything plain: 1 to 32 letters, digits and `. - _ : + * /`.
    Plain,
}

impl CodeShape {
    /// The shape of a scheme; schemes that we do not know are plain.
    pub fn of(scheme: &str) -> Self {
        match scheme {
            "chs-drg" => Self::ChsDrg,
            "apr-drg" => Self::AprDrg,
            "ms-drg" => Self::MsDrg,
            _ => Self::Plain,
        }
    }

    /// Whether a code has the shape.
    pub fn fits(self, code: &[u8]) -> bool {
        match self {
            Self::ChsDrg => match code {
                b"000" | b"0000" | [b'A'..=b'Z', b'Q', b'Y'] => true,
                [b'A'..=b'Z', b'A'..=b'Z', b'0'..=b'9', last] => {
                    matches!(last, b'1'..=b'9' | b'A' | b'B')
                }
                _ => false,
            },
            Self::AprDrg => match code {
                [a, b, c] | [a, b, c, b'-', b'1'..=b'4'] => {
                    [a, b, c].iter().all(|byte| byte.is_ascii_digit())
                }
                _ => false,
            },
            Self::MsDrg => code.len() == 3 && code != b"000" && code.iter().all(u8::is_ascii_digit),
            Self::Plain => {
                let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:+*/".contains(byte);
                (1..=32).contains(&code.len()) && code.iter().all(plain)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for good in ["FR19", "BB1A", "GD15", "FQY", "0000", "000"] {
            assert!(CodeShape::ChsDrg.fits(good.as_bytes()), "{good}");
        }
        for bad in [
            "", "FR1", "FR10", "fr19", "FR199", "F119", "00", "QY", "张三",
        ] {
            assert!(!CodeShape::ChsDrg.fits(bad.as_bytes()), "{bad}");
        }
        let apr = CodeShape::of("apr-drg");
        assert!(apr.fits(b"308") && apr.fits(b"308-2") && !apr.fits(b"308-5") && !apr.fits(b"30"));
        let ms = CodeShape::of("ms-drg");
        assert!(ms.fits(b"001") && !ms.fits(b"000") && !ms.fits(b"1000"));
        let dip = CodeShape::of("dip");
        assert!(dip.fits(b"I21.0:36.06+00.66") && !dip.fits(b"a b") && !dip.fits(&[b'x'; 33]));
    }
}
