//! The three-way match (手术记录–耗材出库–费用录入): what surgery recorded as used, what stock gave out and what
//! was charged, by case and item. Case numbers serve the match and go no further.

use std::collections::BTreeMap;

use crate::figures::Exact;

/// A line of one of the three tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The case's number in the hospital.
    pub case: String,
    /// The consumable's code.
    pub item: String,
    /// The department's code; empty where the table has none.
    pub department: String,
    /// In thousandths; below zero for a return.
    pub quantity: i64,
}

/// How far the three agree.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Matched {
    /// Uses: pairs of case and item in any of the three.
    pub uses: u64,
    /// Of these, on which all three name the same quantity.
    pub agree: u64,
    /// By department and item: uses that a side lacks, uses with different quantities, all uses.
    pub by: BTreeMap<(String, String), (u64, u64, u64)>,
}

/// One use: its quantity by side, and who is asked about it.
#[derive(Default)]
struct Use {
    quantities: [Option<i128>; 3],
    department: String,
}

/// Matches the three tables. Lines of one case and item are added up first; the department is surgery's,
/// else stock's, else that of the charge.
pub fn matched(surgery: &[Line], stock: &[Line], charges: &[Line]) -> Matched {
    let mut uses: BTreeMap<(&str, &str), Use> = BTreeMap::new();
    for (side, lines) in [surgery, stock, charges].into_iter().enumerate() {
        for line in lines {
            let one = uses.entry((&line.case, &line.item)).or_default();
            if let Some(held) = one.quantities.get_mut(side) {
                let sum = held.unwrap_or_default();
                *held = Some(sum.saturating_add(i128::from(line.quantity)));
            }
            if one.department.is_empty() {
                one.department.clone_from(&line.department);
            }
        }
    }
    let mut found = Matched::default();
    for ((_, item), one) in uses {
        let [a, b, c] = one.quantities;
        // What was used and given back altogether is as if it had not been.
        let told = |side: Option<i128>| side.filter(|quantity| *quantity != 0);
        let (a, b, c) = (told(a), told(b), told(c));
        if (a, b, c) == (None, None, None) {
            continue;
        }
        let of = found.by.entry((one.department, item.to_owned()));
        let (lacks, differs, all) = of.or_default();
        found.uses = found.uses.saturating_add(1);
        *all = all.saturating_add(1);
        match (a, b, c) {
            (Some(a), Some(b), Some(c)) if a == b && b == c => {
                found.agree = found.agree.saturating_add(1);
            }
            (Some(_), Some(_), Some(_)) => *differs = differs.saturating_add(1),
            _ => *lacks = lacks.saturating_add(1),
        }
    }
    found
}

impl Matched {
    /// Whether at least this part agrees. Without any use there is nothing to doubt.
    pub fn reaches(&self, least: &Exact) -> bool {
        use dashu::rational::RBig;
        RBig::from(self.agree) >= RBig::from(self.uses) * &least.0
    }
}
