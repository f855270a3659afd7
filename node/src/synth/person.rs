//! Patients: who they are, and identifiers that look real and belong to nobody.

use super::chance::Chance;

/// Six-digit district codes (GB/T 2260) of the region, nearest first.
pub(super) const DISTRICTS: [u32; 12] = [
    230_102, 230_103, 230_104, 230_110, 230_109, 230_111, 230_202, 230_203, 230_602, 230_603,
    230_803, 231_002,
];
const SURNAMES: [&str; 40] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林",
    "何", "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹",
    "袁", "邓", "许", "傅", "沈", "曾", "彭", "吕",
];
const GIVEN: [&str; 48] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明",
    "超", "秀", "霞", "平", "刚", "桂", "英", "华", "玉", "兰", "红", "建", "国", "文", "志", "海",
    "春", "梅", "雪", "松", "晨", "宇", "欣", "怡", "佳", "琪", "浩", "然", "子", "涵", "思", "远",
];
const STREETS: [&str; 12] = [
    "和平路",
    "建设街",
    "友谊路",
    "中山路",
    "人民大街",
    "学府路",
    "红旗街",
    "文化路",
    "江北大道",
    "新阳路",
    "长青街",
    "松花路",
];

/// How a patient is insured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Insurance {
    Employee,
    Resident,
    Other,
    None,
}

impl Insurance {
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Resident => "resident",
            Self::Other => "other-insured",
            Self::None => "self",
        }
    }

    /// Percent of the charges that a fund pays, from and to.
    pub(super) fn share(self) -> (u32, u32) {
        match self {
            Self::Employee => (70, 88),
            Self::Resident => (50, 70),
            Self::Other => (45, 80),
            Self::None => (0, 0),
        }
    }
}

/// A patient.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) female: bool,
    /// Year, month, day of birth.
    pub(super) born: (u32, u32, u32),
    pub(super) insurance: Insurance,
    pub(super) district: u32,
    surname: &'static str,
    given: [&'static str; 2],
    phone: u32,
    house: (u32, u32),
    street: &'static str,
    serial: u32,
}

impl Person {
    /// A person of that sex born on that day; everything else is drawn.
    pub(super) fn new(chance: &mut Chance, female: bool, born: (u32, u32, u32)) -> Self {
        let insurance = match chance.below(100) {
            0..42 => Insurance::Employee,
            42..90 => Insurance::Resident,
            90..95 => Insurance::Other,
            _ => Insurance::None,
        };
        let near = chance.below(100) < 75;
        let district = chance.of_these(DISTRICTS.get(..if near { 6 } else { 12 }).unwrap_or(&[]));
        let second = chance.below(100) < 70;
        Self {
            female,
            born,
            insurance,
            district,
            surname: chance.of_these(&SURNAMES),
            given: [
                chance.of_these(&GIVEN),
                if second { chance.of_these(&GIVEN) } else { "" },
            ],
            phone: chance.below(100_000_000),
            house: (chance.between(1, 180), chance.between(101, 2604)),
            street: chance.of_these(&STREETS),
            // The last of the three digits is odd for men.
            serial: chance.below(500) * 2 + u32::from(!female),
        }
    }

    pub(super) fn write_name(&self, to: &mut Vec<u8>) {
        for part in [self.surname, self.given[0], self.given[1]] {
            to.extend_from_slice(part.as_bytes());
        }
    }

    /// A resident identity number after GB 11643: area, birth date, serial, check character. The
    /// area begins with 99, which is given to nobody.
    pub(super) fn write_resident_id(&self, to: &mut Vec<u8>) {
        let start = to.len();
        let (year, month, day) = self.born;
        number(to, 990_000 + self.district % 10_000, 6);
        number(to, year, 4);
        number(to, month, 2);
        number(to, day, 2);
        number(to, self.serial, 3);
        let check = check_character(to.get(start..).unwrap_or(&[]));
        to.push(check);
    }

    pub(super) fn write_phone(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(b"154");
        number(to, self.phone, 8);
    }

    pub(super) fn write_address(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self.street.as_bytes());
        plain(to, self.house.0.into());
        to.extend_from_slice("号".as_bytes());
        plain(to, self.house.1.into());
        to.extend_from_slice("室".as_bytes());
    }

    pub(super) fn write_birth_date(&self, to: &mut Vec<u8>) {
        let (year, month, day) = self.born;
        number(to, year, 4);
        to.push(b'-');
        number(to, month, 2);
        to.push(b'-');
        number(to, day, 2);
    }
}

/// The check character of 17 digits (GB 11643, ISO 7064 MOD 11-2).
pub(super) fn check_character(digits: &[u8]) -> u8 {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight)
        .sum();
    let place = usize::try_from(sum % 11).unwrap_or(0);
    b"10X98765432".get(place).copied().unwrap_or(b'0')
}

/// Appends a number with leading zeros to `width` digits.
pub(super) fn number(to: &mut Vec<u8>, value: u32, width: usize) {
    let mut digits = [b'0'; 10];
    let mut rest = value;
    for digit in digits.iter_mut().rev().take(width) {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    to.extend_from_slice(digits.get(10 - width.min(10)..).unwrap_or(&[]));
}

/// Appends a number without leading zeros.
pub(super) fn plain(to: &mut Vec<u8>, value: u64) {
    let mut digits = [b'0'; 20];
    let mut rest = value;
    let mut from = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        from -= 1;
        if rest == 0 {
            break;
        }
    }
    to.extend_from_slice(digits.get(from..).unwrap_or(&[]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_character_is_that_of_the_standard() {
        // The standard's own example.
        assert_eq!(check_character(b"11010519491231002"), b'X');
        assert_eq!(check_character(b"44052418800101001"), b'4');
    }

    #[test]
    fn numbers_are_written_whole() {
        let mut text = Vec::new();
        number(&mut text, 42, 5);
        text.push(b' ');
        plain(&mut text, 0);
        plain(&mut text, 1_230);
        assert_eq!(text, b"00042 01230");
    }
}
