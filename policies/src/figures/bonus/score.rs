//! Contribution scores (贡献度): shares of what members achieved, weighed; with what the noise of
//! the inputs does to them, and what each input moved.

use std::collections::{BTreeMap, BTreeSet};

use dashu::rational::RBig;
use schemas::id::Slug;
use serde::{Deserialize, Serialize};

use super::rules::{BonusRules, Gaming};
use crate::figures::budget::{Measured, Tier};
use crate::figures::decimal::{fixed, float};
use crate::figures::errors::{Origin, together};
use crate::figures::exact::sum;
use crate::figures::half_up;

/// Half width of a 95 % interval in standard deviations.
const Z95: f64 = 1.959_963_984_540_054;

/// What is known of a member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contributor {
    /// Its id.
    pub id: Slug,
    /// Its level.
    pub tier: Tier,
    /// Its value of each dimension; below zero counts as zero.
    pub dimensions: BTreeMap<Slug, Measured>,
    /// Whether its quality index is at least last year's.
    pub quality_held: bool,
    /// Its indicators of gaming. One that is known of no member flags nobody; else it is known of all.
    #[serde(default)]
    pub gaming: BTreeMap<Slug, Measured>,
}

/// A member's score.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The member.
    pub id: Slug,
    /// The score, six decimals: what counts.
    pub counts: String,
    /// The score before gate and flags.
    pub before: String,
    /// Ends of the 95 % interval that the noise of the inputs leaves, with and without the flags that it
    /// leaves open; none where all are exact.
    pub interval: Option<(String, String)>,
    /// How much each dimension lifts the score above that of a member with an equal part of it.
    pub moved: BTreeMap<Slug, String>,
    /// What the score would rise by if the member alone had a hundredth more of the dimension, six
    /// decimals, half up: whether more referrals pay is seen before anybody refers less.
    pub gains: BTreeMap<Slug, String>,
    /// Whether quality fell.
    pub gated: bool,
    /// Indicators of gaming that it was flagged by.
    pub flagged: BTreeSet<Slug>,
}

/// Why there are no scores.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// No members.
    #[error("scores need members")]
    Empty,
    /// A member twice.
    #[error("member `{0}` stands twice")]
    Twice(Slug),
    /// A dimension without a value.
    #[error("member `{0}` has no value for dimension `{1}`")]
    Missing(Slug, Slug),
    /// A value that the rules do not name.
    #[error("member `{0}` has a value for `{1}`, which the rules do not name")]
    Unknown(Slug, Slug),
    /// A number with more than nine decimals.
    #[error("member `{0}`: `{1}` has more than nine decimals")]
    Decimals(Slug, Slug),
    /// An indicator of gaming that others have.
    #[error(
        "member `{0}` has no value for `{1}`, which other members have: left out for one, it would raise its score"
    )]
    LeftOut(Slug, Slug),
    /// A variance below zero.
    #[error("member `{0}`: a variance is zero or more")]
    Variance(Slug),
}

/// Scores as exact numbers, with what is shown of them.
#[derive(Debug)]
pub struct Scores {
    /// What counts, in the order of the members.
    pub exact: Vec<RBig>,
    /// What gate and flags leave of each score, from 0 to 1.
    pub keeps: Vec<RBig>,
    /// What is shown.
    pub shown: Vec<Score>,
}

/// score_i = Σ_k w_k · max(0, x_ki) / Σ_j max(0, x_kj). A dimension in which nobody has anything
/// gives its weight to the others in proportion. Gate and flags multiply what is left of it.
pub fn scores(rules: &BonusRules, members: &[Contributor]) -> Result<Scores, ScoreError> {
    check(rules, members)?;
    let value = |member: &Contributor, dimension: &Slug| {
        let value = member
            .dimensions
            .get(dimension)
            .map(|one| one.value.0.clone());
        value.unwrap_or(RBig::ZERO).max(RBig::ZERO)
    };
    let columns = rules.dimensions.iter().map(|dimension| {
        let values: Vec<RBig> = members
            .iter()
            .map(|one| value(one, &dimension.id))
            .collect();
        let whole = sum(&values);
        (dimension, values, whole)
    });
    let columns: Vec<_> = columns
        .filter(|(_, _, whole)| *whole > RBig::ZERO)
        .collect();
    let weights = sum(columns.iter().map(|(dimension, _, _)| &dimension.weight.0));
    let equal = RBig::ONE / RBig::from(members.len());
    let mut scores = Scores {
        exact: Vec::new(),
        keeps: Vec::new(),
        shown: Vec::new(),
    };
    for (place, member) in members.iter().enumerate() {
        let mut before = RBig::ZERO;
        let mut moved = BTreeMap::new();
        let mut more = Vec::new();
        for (dimension, values, whole) in &columns {
            let weight = &dimension.weight.0 / &weights;
            let part = values.get(place).unwrap_or(&RBig::ZERO) / whole;
            moved.insert(
                dimension.id.clone(),
                half_up(&(&weight * (&part - &equal)), 6),
            );
            let own = values.get(place).cloned().unwrap_or(RBig::ZERO);
            let step = &own / RBig::from(100);
            let raised = (&own + &step) / (whole + &step);
            more.push((dimension.id.clone(), &weight * (raised - &part)));
            before += weight * part;
        }
        let flagged = flagged(rules, member);
        let keeps = rules.gaming.iter().filter(|one| flagged.contains(&one.id));
        let mut keeps = keeps.fold(RBig::ONE, |left, one| left * &one.keeps.0);
        if !member.quality_held {
            keeps *= &rules.gate.0;
        }
        let score = &before * &keeps;
        let sd = together(columns.iter().flat_map(|(dimension, values, whole)| {
            let weight = float(&dimension.weight.0) / float(&weights);
            errors(members, (&dimension.id, values, whole), place)
                .map(move |(origin, error)| (origin, error * weight))
        }));
        let open = if_flagged(rules, member);
        let interval = (sd > 0.0 || open.is_some()).then(|| {
            let (middle, reach) = (float(&score), Z95 * sd * float(&keeps));
            let lower = open.as_ref().map_or(1.0, float);
            let end = |value: f64| fixed(value.clamp(0.0, 1.0), 6).unwrap_or_default();
            (
                end((middle - reach) * lower - 5e-7),
                end(middle + reach + 5e-7),
            )
        });
        scores.shown.push(Score {
            id: member.id.clone(),
            counts: half_up(&score, 6),
            before: half_up(&before, 6),
            interval,
            moved,
            gains: more
                .into_iter()
                .map(|(id, gain)| (id, half_up(&(gain * &keeps), 6)))
                .collect(),
            gated: !member.quality_held,
            flagged,
        });
        scores.exact.push(score);
        scores.keeps.push(keeps);
    }
    Ok(scores)
}

fn check(rules: &BonusRules, members: &[Contributor]) -> Result<(), ScoreError> {
    if members.is_empty() {
        return Err(ScoreError::Empty);
    }
    let mut known = BTreeSet::new();
    for member in members {
        let id = || member.id.clone();
        if !known.insert(&member.id) {
            return Err(ScoreError::Twice(id()));
        }
        for dimension in &rules.dimensions {
            if !member.dimensions.contains_key(&dimension.id) {
                return Err(ScoreError::Missing(id(), dimension.id.clone()));
            }
        }
        let named = |name: &Slug| rules.dimensions.iter().any(|one| one.id == *name);
        let watched = |name: &Slug| rules.gaming.iter().any(|one| one.id == *name);
        let mut unknown = member.dimensions.keys().filter(|name| !named(name));
        let mut beside = member.gaming.keys().filter(|name| !watched(name));
        if let Some(name) = unknown.next().or_else(|| beside.next()) {
            return Err(ScoreError::Unknown(id(), name.clone()));
        }
        for (name, one) in member.dimensions.iter().chain(&member.gaming) {
            let variance = one.variance.as_ref();
            if !one.value.fits_nine_decimals()
                || variance.is_some_and(|of| !of.fits_nine_decimals())
            {
                return Err(ScoreError::Decimals(id(), name.clone()));
            }
            if variance.is_some_and(|of| of.0 < RBig::ZERO) {
                return Err(ScoreError::Variance(id()));
            }
        }
        let anywhere = |name: &&Slug| members.iter().any(|one| one.gaming.contains_key(*name));
        let mut looked_at = rules.gaming.iter().map(|one| &one.id).filter(anywhere);
        if let Some(name) = looked_at.find(|name| !member.gaming.contains_key(*name)) {
            return Err(ScoreError::LeftOut(id(), name.clone()));
        }
    }
    Ok(())
}

/// 1.96² to the declared digits of 1.959963984540054, as an exact fraction.
fn z_squared() -> RBig {
    let z = RBig::from(1_959_963_984_540_054_u64) / RBig::from(1_000_000_000_000_000_u64);
    &z * &z
}

/// On which side of its limit an indicator lies, whatever the noise did (95 %). Exact: money depends on
/// it. |x − limit|² > z² · variance.
fn side(limit: &RBig, measured: &Measured) -> Side {
    let far = &measured.value.0 - limit;
    let variance = measured.variance.as_ref();
    let noise = variance.map_or(RBig::ZERO, |variance| z_squared() * &variance.0);
    if &far * &far > noise || noise == RBig::ZERO {
        if far > RBig::ZERO {
            Side::Above
        } else {
            Side::Below
        }
    } else {
        Side::Open
    }
}

/// See [`side`].
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Above,
    Below,
    Open,
}

/// Indicators that lie above their limits whatever the noise did.
fn flagged(rules: &BonusRules, member: &Contributor) -> BTreeSet<Slug> {
    let flagged = on(Side::Above, rules, member);
    flagged.map(|one| one.id.clone()).collect()
}

/// What would be left of the score if all indicators were above their limits that may be; nothing where
/// the noise leaves none open.
fn if_flagged(rules: &BonusRules, member: &Contributor) -> Option<RBig> {
    let open = on(Side::Open, rules, member).map(|one| &one.keeps.0);
    open.fold(None, |left, keeps| Some(left.unwrap_or(RBig::ONE) * keeps))
}

fn on<'a>(
    wanted: Side,
    rules: &'a BonusRules,
    member: &'a Contributor,
) -> impl Iterator<Item = &'a Gaming> {
    rules.gaming.iter().filter(move |one| {
        let measured = member.gaming.get(&one.id);
        measured.is_some_and(|measured| side(&one.limit.0, measured) == wanted)
    })
}

/// What each member's noise does to a member's share of a dimension, by the delta method:
/// ∂(x_i/X)/∂x_j = (δ_ij − x_i/X)/X.
fn errors<'a>(
    members: &'a [Contributor],
    (dimension, values, whole): (&'a Slug, &[RBig], &RBig),
    place: usize,
) -> impl Iterator<Item = (Option<Origin>, f64)> + 'a {
    let whole = float(whole);
    let own = values.get(place).map_or(0.0, float) / whole;
    let part = move |(other, member): (usize, &'a Contributor)| {
        let measured = member.dimensions.get(dimension);
        let slope = (if other == place { 1.0 } else { 0.0 } - own) / whole;
        let source = measured.and_then(|one| one.source);
        let error = measured.map_or(0.0, Measured::sd) * slope;
        (source.map(|source| (other, source)), error)
    };
    members.iter().enumerate().map(part)
}
