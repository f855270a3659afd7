//! Finding a view: its columns with their types, and which of them the mapping wants; then the thread that
//! reads it begins.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use super::address::Address;
use super::name::{Name, ViewName};
use super::plan::{Plan, Settled};
use super::session::Session;
use super::wire::{Kind, Wire};
use super::worker::{self, Ask};
use super::{Inner, Picture, SqlError, View};
use crate::ingest::IngestError;
use crate::ingest::mapping::{Granularity, Mapping, ViewMapping};

/// A view that was found.
pub(super) struct Found {
    named: String,
    view: ViewName,
    pub(super) columns: Vec<Column>,
    asks: Sender<Ask>,
    start: SyncSender<Plan>,
    wire: Wire,
}

pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Option<Kind>,
    /// The type as the server names it.
    of: String,
}

/// Key and watermark.
pub(super) struct Marked {
    key: Vec<Name>,
    watermark: (Name, Kind),
}

impl Found {
    /// Connects on a thread of its own and lists the view's columns.
    pub(super) fn look(address: &Address, named: &str) -> Result<Self, IngestError> {
        let view = ViewName::new(named)?;
        let (asks, asked) = channel();
        let (tell, told) = sync_channel(1);
        let (start, started) = sync_channel(1);
        let (address, looked) = (address.clone(), view.clone());
        // It ends by itself when nobody can ask it any more.
        thread::Builder::new()
            .name("view".to_owned())
            .spawn(move || hold(&address, &looked, &tell, &started, &asked))
            .map_err(|_| SqlError::Stopped)?;
        let (wire, columns) = told.recv().map_err(|_| SqlError::Stopped)??;
        Ok(Self {
            named: named.to_owned(),
            view,
            columns,
            asks,
            start,
            wire,
        })
    }

    fn find(&self, name: &str) -> Result<&Column, IngestError> {
        let found = self.columns.iter().find(|column| column.name == name);
        found.ok_or_else(|| IngestError::Columns {
            missing: vec![name.to_owned()],
            twice: Vec::new(),
            header: self.columns.len(),
        })
    }

    /// The wanted columns that are there, in the view's order; all of them must be readable.
    pub(super) fn header(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, IngestError> {
        let mut header = Vec::new();
        for column in self.columns.iter().filter(|column| wanted(&column.name)) {
            if column.kind.is_none_or(|kind| kind == Kind::Moment) {
                return Err(SqlError::Type {
                    column: column.name.clone(),
                    kind: column.of.clone(),
                }
                .into());
            }
            header.push(column.name.clone());
        }
        Ok(header)
    }

    pub(super) fn settled(
        &self,
        mapping: &Mapping,
        header: &[String],
    ) -> Result<Option<Settled>, IngestError> {
        let time = &mapping.time;
        let (name, format) = match time.granularity {
            Granularity::Month => (&time.discharge, time.format),
            Granularity::Year => (&time.year, None),
        };
        let Some(name) = name else { return Ok(None) };
        let place = header.iter().position(|column| column == name);
        let (Some(place), Some(kind)) = (place, self.find(name)?.kind) else {
            return Ok(None);
        };
        Ok(Some(Settled {
            name: Name::new(name)?,
            kind,
            place,
            format,
        }))
    }

    /// Tells the thread what is read, and hands over the view.
    pub(super) fn start(
        self,
        header: Vec<String>,
        unread: Vec<String>,
        marked: Option<Marked>,
        settled: Option<Settled>,
    ) -> Result<View, IngestError> {
        let columns = header.iter().map(|name| Name::new(name));
        let columns = columns.collect::<Result<_, _>>()?;
        let (key, watermark) = marked.map_or_else(
            || (Vec::new(), None),
            |marked| (marked.key, Some(marked.watermark)),
        );
        let plan = Plan {
            wire: self.wire,
            view: self.view,
            columns,
            key,
            watermark,
            settled: settled.clone(),
        };
        self.start.send(plan).map_err(|_| SqlError::Stopped)?;
        Ok(View(Arc::new(Inner {
            asks: self.asks,
            named: self.named,
            header,
            settled,
            picture: Mutex::new(Picture::default()),
            unread,
        })))
    }
}

impl Marked {
    pub(super) fn new(found: &Found, source: &ViewMapping) -> Result<Self, IngestError> {
        if source.key.is_empty() {
            return Err(IngestError::rule("source.key", "names at least one column"));
        }
        let mut key = Vec::new();
        for name in &source.key {
            key.push(Name::new(&found.find(name)?.name)?);
        }
        let watermark = found.find(&source.watermark)?;
        match watermark.kind.filter(|kind| kind.is_watermark()) {
            Some(kind) => Ok(Self {
                key,
                watermark: (Name::new(&watermark.name)?, kind),
            }),
            None => Err(SqlError::Watermark {
                column: watermark.name.clone(),
                kind: watermark.of.clone(),
            }
            .into()),
        }
    }
}

type Listed = Result<(Wire, Vec<Column>), SqlError>;

/// The thread: connects, lists the columns, waits for the plan, answers.
fn hold(
    address: &Address,
    view: &ViewName,
    tell: &SyncSender<Listed>,
    started: &Receiver<Plan>,
    asked: &Receiver<Ask>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        match list(address, view).await {
            Ok((session, columns)) => {
                drop(tell.send(Ok((session.wire(), columns))));
                if let Ok(plan) = started.recv() {
                    worker::serve(session, &plan, asked).await;
                }
            }
            Err(error) => drop(tell.send(Err(error))),
        }
    });
}

async fn list(address: &Address, view: &ViewName) -> Result<(Session, Vec<Column>), SqlError> {
    let mut session = Session::open(address).await?;
    let wire = session.wire();
    let (sql, bound) = wire.columns(view);
    let mut columns = Vec::new();
    session
        .each(sql.to_owned(), &bound, |row| {
            if let [Some(name), Some(of)] = row {
                columns.push(Column {
                    name: (*name).to_owned(),
                    kind: wire.kind(of),
                    of: (*of).to_owned(),
                });
            }
            true
        })
        .await?;
    if columns.is_empty() {
        return Err(SqlError::View);
    }
    Ok((session, columns))
}
