//! What a hospital (and whoever carries messages) sees is equal for two lists of one size.

use super::*;

/// Everything the hospital's side holds after an exchange, but random bytes: names and sizes of
/// messages in order, and what its log says.
async fn view(closing: &Closing, insurer: &Insurer, paid: &str) -> Vec<String> {
    insurer.prepare(paid, &closing.book("i01").await).unwrap();
    let mut view = Vec::new();
    for (name, bytes) in insurer.requests() {
        let Served::Reply(reply) = closing.serve(&bytes).await.unwrap() else {
            panic!("{name} waits");
        };
        view.push(format!("{name} {} {}", bytes.len(), reply.len()));
    }
    for entry in closing.hospital.state.log().await.unwrap() {
        if entry.kind.as_str() == "audit" {
            view.push(format!("{} {:?}", entry.subject, entry.detail));
        }
    }
    view
}

#[tokio::test]
async fn the_hospitals_view_is_equal_for_two_lists_of_one_size() {
    let all = settled(13_000);
    let own = of_payer(&all, "I01");
    let nothing: Vec<Settled> = own
        .iter()
        .map(|one| Settled {
            number: format!("X{}", one.number),
            ..one.clone()
        })
        .collect();
    // The third has half of its numbers twice: fewer claims, as many lines.
    let half = &own[..own.len() / 2];
    let twice: Vec<Settled> = half.iter().chain(half).cloned().collect();
    let twice = [twice, own[..own.len() % 2].to_vec()].concat();
    let mut views = Vec::new();
    for list in [&own, &nothing, &twice] {
        assert_eq!(list.len(), own.len());
        let closing = Closing::new().await;
        let insurer = Insurer::begin(&closing, "i01").await;
        closing.close(&listed(&all)).await.unwrap();
        views.push(view(&closing, &insurer, &paid(list)).await);
    }
    assert_eq!(
        views[0].len(),
        3 + 3,
        "two batches and the total, each logged"
    );
    assert_eq!(views[0], views[1]);
    assert_eq!(views[0], views[2]);
}
