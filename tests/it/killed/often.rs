//! A thousand SIGKILLs: ten alliances one after the other, thirteen rounds each, eight deaths in every
//! round; by itself one alliance of three rounds. What must hold at the end is `ending`'s.

use std::time::Duration;

use schemas::digest::Digest;
use tests::fixture::long;
use tokio::time::sleep;

use super::alliance::{Alliance, Round};
use super::{Tally, acknowledged, coordinator_died, ending, node_died};

/// Deaths in one round.
const DEATHS: u64 = 8;

#[tokio::test]
async fn a_thousand_deaths_lose_and_double_nothing() {
    let (alliances, months) = if long() { (10, 12) } else { (1, 2) };
    let mut tally = Tally::new();
    for seed in 0..alliances {
        let mut alliance = Alliance::found();
        let mut rounds = Vec::new();
        for month in 0..=months {
            let round = match month {
                0 => alliance.ask("yearly-benchmark", "2025"),
                _ => alliance.ask("monthly-benchmark", &format!("2025-{month:02}")),
            };
            for death in 0..DEATHS {
                dies(&mut alliance, &round, [seed, month, death], &mut tally).await;
            }
            alliance.closes(&round);
            rounds.push(round);
        }
        // What is asked again is told again, and charged no second time.
        for month in 1..=months {
            let again = alliance.ask("monthly-benchmark", &format!("2025-{month:02}"));
            dies(&mut alliance, &again, [seed, month, DEATHS], &mut tally).await;
            alliance.closes(&again);
            rounds.push(again);
        }
        acknowledged(&alliance).await;
        ending::check(&alliance, &rounds).await;
    }
    println!("killed: {tally:#?}");
    let deaths: u32 = tally.values().sum();
    let rounds = alliances * (months + 1);
    assert_eq!(u64::from(deaths), rounds * DEATHS + alliances * months);
}

/// Whose turn it is and after how long follows from the number of the death; so do the moments without it.
async fn dies(alliance: &mut Alliance, round: &Round, number: [u64; 3], tally: &mut Tally) {
    let bytes: Vec<u8> = number.iter().flat_map(|part| part.to_le_bytes()).collect();
    let drawn = Digest::of("killed", &[&bytes]);
    let [who, before, after, ..] = *drawn.as_bytes();
    sleep(Duration::from_millis(u64::from(before) * 3)).await;
    let seen = match alliance.nodes.get_mut(usize::from(who % 4)) {
        Some(node) => {
            node.kill();
            node_died(alliance, usize::from(who % 4), round).await
        }
        None => {
            alliance.coordinator.kill();
            coordinator_died(alliance, round).await
        }
    };
    *tally.entry(seen).or_default() += 1;
    sleep(Duration::from_millis(u64::from(after) / 4)).await;
    match alliance.nodes.get_mut(usize::from(who % 4)) {
        Some(node) => node.again(),
        None => alliance.coordinator.again(),
    }
}
