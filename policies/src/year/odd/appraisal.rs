//! What is odd about the rules of appraisal: weights by stage and source, grades, and indicators that
//! mean something else than under the shipped rules.

use dashu::rational::RBig;

use super::{Look, look};
use crate::figures::appraisal::{About, AppraisalRules, DEFAULT, Indicator, Source};

pub(super) fn appraisal(of: &AppraisalRules) -> Vec<Look> {
    let mut looks = stages(of);
    looks.extend(of.indicators.iter().flat_map(indicator));
    looks.extend(grades(of));
    looks
}

fn stages(of: &AppraisalRules) -> Vec<Look> {
    let whole = RBig::from(40);
    let none = RBig::ZERO;
    let share = of.sources.get(&Source::Indicators);
    let share = share.map_or(&none, |share| &share.0);
    let stages = of.stages.keys().flat_map(|stage| {
        let about = |what| of.weight(stage, |one: &Indicator| one.about == Some(what));
        let (referral, costs) = (about(About::Referral), about(About::CostControl));
        let care = RBig::from(of.weight(stage, Indicator::is_of_care)) * share;
        let field = format!("stages.{stage}");
        [
            (
                referral * 3 < costs,
                field.clone(),
                format!(
                    "weighs referrals {referral} and control of costs {costs}: nobody will take \
                     patients back"
                ),
                "referrals at least a third of what control of costs weighs",
            ),
            (
                care < whole,
                field,
                "leaves quality and outcome less than 40 hundredths of the whole".to_owned(),
                "40 or more, after what patients and others weigh",
            ),
        ]
    });
    stages.collect()
}

/// An indicator that everybody knows by its name and that means something else here.
fn indicator(one: &Indicator) -> Vec<Look> {
    let shipped = AppraisalRules::parse(DEFAULT).ok();
    let known = shipped.and_then(|shipped| {
        let mut known = shipped.indicators.into_iter();
        known.find(|known| known.id == one.id)
    });
    let Some(known) = known else {
        return Vec::new();
    };
    let field = |name: &str| format!("indicators.{}.{name}", one.id);
    vec![
        look(
            one.aspect != known.aspect,
            &field("aspect"),
            "counts it to another aspect than the shipped rules",
            "the shipped aspect: quality and outcome weigh at least 40 by it",
        ),
        look(
            one.about != known.about,
            &field("about"),
            "is another than in the shipped rules",
            "the shipped mark: referrals are held against control of costs by it",
        ),
        look(
            (one.worst < one.best) != (known.worst < known.best),
            &field("worst"),
            "turns the scale round: what was better is worse",
            "the direction of the shipped rules",
        ),
    ]
}

fn grades(of: &AppraisalRules) -> Vec<Look> {
    let mut looks = Vec::new();
    for grade in &of.grades {
        let tenth = RBig::from_parts(1.into(), 10_u8.into());
        looks.push(look(
            grade.payment.0 > RBig::ONE + &tenth || grade.payment.0 < RBig::ONE - &tenth,
            &format!("grades.{}.payment", grade.id),
            "moves payments by more than a tenth",
            "0.9 to 1.1",
        ));
    }
    for two in of.grades.windows(2) {
        let [better, worse] = two else { continue };
        looks.push((
            better.payment < worse.payment,
            format!("grades.{}.payment", better.id),
            format!("pays less than the worse grade `{}`", worse.id),
            "a better grade paid no less",
        ));
        looks.push((
            better.improve_days.is_some() && worse.improve_days.is_none(),
            format!("grades.{}.improve_days", better.id),
            format!(
                "asks for a plan that the worse grade `{}` is spared",
                worse.id
            ),
            "plans from the worse grades",
        ));
    }
    let last = of.grades.last();
    looks.push(look(
        last.is_some_and(|grade| grade.improve_days.is_none()),
        "grades",
        "ask nothing of the worst",
        "`improve_days` of the last grade",
    ));
    looks
}
