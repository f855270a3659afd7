//! How far views were read: the table `view_marks`, a row a load. A watermark is mostly the time at which a
//! row was changed, so that it is sealed under a key of the node's and stands nowhere as it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use sqlx::{Row as _, Sqlite};

use super::state::{Change, StateError};
use crate::config::keys::PseudonymKey;

/// What a sealed mark begins with; marks of older nodes stand as they are until the next load of any view.
const SEALED: &str = "sealed:";

/// How far a view was read: the greatest watermark, and how many rows had it. Rows that come later with the
/// same watermark are told by the count. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Mark {
    /// The watermark, as the server writes it.
    pub text: String,
    /// Rows at it.
    pub rows: u64,
}

impl std::fmt::Debug for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mark({} rows)", self.rows)
    }
}

/// How far a load read a view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reached {
    /// What the view is remembered by.
    pub source: String,
    /// How far.
    pub mark: Mark,
}

/// The last load of a view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Last {
    /// Which load.
    pub load: String,
    /// How far it read.
    pub mark: Mark,
}

fn cipher(key: &PseudonymKey) -> Result<LessSafeKey, StateError> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key.expose());
    key.map(LessSafeKey::new).map_err(|_| StateError::Range)
}

/// A watermark as it is kept: nonce and sealed text in base64, bound to its view.
fn sealed(text: &str, source: &str, key: &PseudonymKey) -> Result<String, StateError> {
    let mut nonce = [0; NONCE_LEN];
    let drawn = SystemRandom::new().fill(&mut nonce);
    drawn.map_err(|_| StateError::Range)?;
    let mut bytes = text.as_bytes().to_vec();
    let of = (Nonce::assume_unique_for_key(nonce), Aad::from(source));
    let done = cipher(key)?.seal_in_place_append_tag(of.0, of.1, &mut bytes);
    done.map_err(|_| StateError::Range)?;
    let nonce = URL_SAFE_NO_PAD.encode(nonce);
    Ok(format!("{SEALED}{nonce}.{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn opened(kept: &str, source: &str, key: &PseudonymKey) -> Result<String, StateError> {
    let Some(kept) = kept.strip_prefix(SEALED) else {
        return Ok(kept.to_owned());
    };
    let damaged = || StateError::Mark;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged());
    let (nonce, text) = kept.split_once('.').ok_or_else(damaged)?;
    let nonce = <[u8; NONCE_LEN]>::try_from(decode(nonce)?).map_err(|_| damaged())?;
    let nonce = Nonce::assume_unique_for_key(nonce);
    let mut text = decode(text)?;
    let text = cipher(key)?.open_in_place(nonce, Aad::from(source), &mut text);
    let text = text.map_err(|_| damaged())?;
    String::from_utf8(text.to_vec()).map_err(|_| damaged())
}

/// The last load of a view that still stands.
pub async fn last<'e>(
    from: impl sqlx::Executor<'e, Database = Sqlite>,
    source: &str,
    key: &PseudonymKey,
) -> Result<Option<Last>, StateError> {
    let row = sqlx::query(
        "select load_id, mark, rows_at from view_marks where source = $1 \
         order by number desc limit 1",
    )
    .bind(source)
    .fetch_optional(from)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let rows = u64::try_from(row.try_get::<i64, _>(2)?).map_err(|_| StateError::Range)?;
    Ok(Some(Last {
        load: row.try_get(0)?,
        mark: Mark {
            text: opened(&row.try_get::<String, _>(1)?, source, key)?,
            rows,
        },
    }))
}

/// Remembers how far a load read; part of the change that registers it.
pub async fn remember(
    change: &mut Change,
    load: &str,
    (reached, key): (&Reached, &PseudonymKey),
) -> Result<(), StateError> {
    seal_old(change, key).await?;
    let rows = i64::try_from(reached.mark.rows).map_err(|_| StateError::Range)?;
    sqlx::query(
        "insert into view_marks (number, load_id, source, mark, rows_at) \
         values ((select coalesce(max(number), 0) + 1 from view_marks), $1, $2, $3, $4)",
    )
    .bind(load)
    .bind(&reached.source)
    .bind(sealed(&reached.mark.text, &reached.source, key)?)
    .bind(rows)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Seals what an older node kept as it was.
async fn seal_old(change: &mut Change, key: &PseudonymKey) -> Result<(), StateError> {
    let plain = sqlx::query("select number, source, mark from view_marks where mark not like $1")
        .bind(format!("{SEALED}%"))
        .fetch_all(&mut **change)
        .await?;
    for row in &plain {
        let (number, source): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let mark = sealed(&row.try_get::<String, _>(2)?, &source, key)?;
        sqlx::query("update view_marks set mark = $1 where number = $2")
            .bind(mark)
            .bind(number)
            .execute(&mut **change)
            .await?;
    }
    Ok(())
}

/// Forgets a load that is discarded, and the later loads of its view: their months are read again.
pub async fn forget(change: &mut Change, load: &str) -> Result<(), StateError> {
    sqlx::query(
        "delete from view_marks where exists (select 1 from view_marks f where f.load_id = $1 \
         and f.source = view_marks.source and f.number <= view_marks.number)",
    )
    .bind(load)
    .execute(&mut **change)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_opens_under_its_key_and_view_alone() {
        let key = PseudonymKey::random().unwrap();
        let text = "2026-01-05 10:11:12.345678";
        let kept = sealed(text, "one view", &key).unwrap();
        assert!(kept.starts_with(SEALED) && !kept.contains("2026"), "{kept}");
        assert_ne!(kept, sealed(text, "one view", &key).unwrap());
        assert_eq!(opened(&kept, "one view", &key).unwrap(), text);
        let other = PseudonymKey::random().unwrap();
        for wrong in [
            opened(&kept, "another view", &key),
            opened(&kept, "one view", &other),
            opened("sealed:AAAA", "one view", &key),
            opened("sealed:AAAA.AAAA", "one view", &key),
        ] {
            assert!(matches!(wrong, Err(StateError::Mark)));
        }
        // What an older node kept.
        assert_eq!(opened(text, "one view", &key).unwrap(), text);
    }

    #[tokio::test]
    async fn what_an_older_node_kept_is_sealed_with_the_next_mark() {
        let folder = tempfile::tempdir().unwrap();
        let state = super::super::state::State::open(folder.path())
            .await
            .unwrap();
        let key = PseudonymKey::random().unwrap();
        sqlx::query("insert into view_marks values (1, 'a', 'one', '2026-01-05 10:11:12', 3)")
            .execute(state.pool())
            .await
            .unwrap();
        let reached = Reached {
            source: "two".to_owned(),
            mark: Mark {
                text: "17".to_owned(),
                rows: 1,
            },
        };
        let mut change = state.begin().await.unwrap();
        remember(&mut change, "b", (&reached, &key)).await.unwrap();
        change.commit().await.unwrap();
        let kept: Vec<String> = sqlx::query_scalar("select mark from view_marks")
            .fetch_all(state.pool())
            .await
            .unwrap();
        assert!(kept.len() == 2 && kept.iter().all(|mark| mark.starts_with(SEALED)));
        let old = last(state.pool(), "one", &key).await.unwrap().unwrap();
        assert_eq!(old.mark.text, "2026-01-05 10:11:12");
    }
}
