//! What one free question may cost: a dearer one is refused before anything is looked at.

use std::sync::Arc;

use node::answer::{self, App, Asked, By, Unanswered};
use policies::plan::Refusal;
use schemas::digest::Digest;
use schemas::loss::Rho;
use schemas::outcome::Reason;
use schemas::question::{Purpose, Question};

use super::crowd;
use crate::hospital::{Hospital, by_officer, question, shipped};

/// Two blocks that cost so much together.
fn costing(app: &App, rho: Rho) -> Question {
    let first = Rho::from_nano(1).unwrap();
    let second = Rho::from_nano(rho.nano() - 1).unwrap();
    let body = format!(
        "bounds = {{ groups = 1, stays = 1 }}\n[[tables]]\nby = []\nblocks = [\
         {{ measure = {{ kind = \"count\" }}, rho = \"{first}\" }},\
         {{ measure = {{ kind = \"sum\", field = \"cost\" }}, rho = \"{second}\" }}]"
    );
    question(app, "2025", &body)
}

/// The rule, the price and the most, as the officer is told.
async fn refused(app: &Arc<App>, asked: &Asked, price: Rho) {
    let most = app.policy.allowance.free_question;
    match answer::reply(app, asked).await {
        Err(error @ Unanswered::Refused(Refusal::FreePrice { .. })) => {
            assert_eq!(error.reason(), Some(Reason::Refused));
            let told = error.to_string();
            assert!(told.contains("allowance.free_question"), "{told}");
            assert!(told.contains(&format!("ρ {price} ")), "{told}");
            assert!(told.contains(&format!("ρ {most};")), "{told}");
        }
        other => panic!("{other:?}"),
    }
}

/// A pair of centred sums tells a patient's value twice as well as a pair of plain ones at the same
/// price, so that free questions get plain ones only, whatever they claim.
#[tokio::test]
async fn a_free_question_asks_plain_sums() {
    let hospital = Hospital::new("h1").await;
    hospital.hold(&crowd(40)).await;
    let app = hospital.app().await;
    let most = app.policy.allowance.free_question;
    let mut asked = costing(&app, most);
    asked.centred = true;
    let before = hospital.trace().await;
    match answer::reply(&app, &by_officer(asked.clone())).await {
        Err(error @ Unanswered::Refused(Refusal::FreeCentred)) => {
            assert_eq!(error.reason(), Some(Reason::Refused));
            assert!(error.to_string().contains("plain sums"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(hospital.trace().await, before, "nothing was written");
    asked.centred = false;
    let plain = answer::reply(&app, &by_officer(asked)).await;
    assert_eq!(plain.unwrap().paid_now(), most);
}

#[tokio::test]
async fn a_dearer_free_question_is_refused() {
    let hospital = Hospital::new("h1").await;
    let app = hospital.app().await;
    let most = app.policy.allowance.free_question;
    assert_eq!(most, "0.04".parse().unwrap());
    let above = Rho::from_nano(most.nano() + 1).unwrap();
    let dear = by_officer(costing(&app, above));
    // Nothing is released yet: the price is looked at first.
    refused(&app, &dear, above).await;
    hospital.hold(&crowd(40)).await;
    let before = hospital.trace().await;
    refused(&app, &dear, above).await;
    assert_eq!(hospital.trace().await, before, "nothing was written");
    let fits = answer::reply(&app, &by_officer(costing(&app, most))).await;
    assert_eq!(fits.unwrap().paid_now(), most);

    // A hospital of its own is stricter.
    let mut app = Arc::into_inner(app).unwrap();
    app.policy.allowance.free_question = "0.01".parse().unwrap();
    let app = Arc::new(app);
    let above = "0.02".parse().unwrap();
    refused(&app, &by_officer(costing(&app, above)), above).await;
}

/// The quota decides, not who asks: a template that the policy lets the free quota pay for.
#[tokio::test]
async fn a_template_paid_by_the_free_quota_has_the_same_limit() {
    let hospital = Hospital::new("h1").await;
    hospital.hold(&crowd(40)).await;
    let mut app = Arc::into_inner(hospital.app().await).unwrap();
    let (question, template) = shipped(&app, "yearly-benchmark", "2025");
    let reference = template.reference();
    let quotas = &mut app.policy.allow.templates;
    quotas.insert(reference.to_string(), Purpose::Free);
    app.policy.allowance.free = app.policy.allowance.total;
    let asked = Asked {
        question,
        template: Some(reference),
        by: By::Alliance {
            round: Digest::ZERO,
            purpose: Purpose::Benchmark,
        },
    };
    refused(&Arc::new(app), &asked, "0.25".parse().unwrap()).await;
}
