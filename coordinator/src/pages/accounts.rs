//! Who may sign in.

use std::sync::Arc;

use web::block::{Block, Cell};
use web::shell::Page;

use super::answer::Visit;
use super::desk::Desk;
use super::fault::Fault;
use super::words;
use crate::accounts;

/// The accounts; they are changed by commands only.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let mut page = Page::new(visit.say("way-accounts"), visit.say("accounts-lead"));
    let mut table = words::table(
        &visit,
        "accounts",
        "way-accounts",
        &["name", "role", "password-set"],
    );
    for one in accounts::all(&desk.store).await? {
        table.rows.push(vec![
            Cell::text(&one.name),
            Cell::Text(visit.say(&format!("role-{}", one.role.as_str()))),
            Cell::text(words::moment(one.changed)),
        ]);
    }
    page.add(String::new(), vec![Block::Table(table)]);
    Ok(page)
}
