-- State of one node. Written so that PostgreSQL takes it too. Whole numbers only, no floats.

create table if not exists log (
    sequence bigint primary key,        -- 1, 2, 3 … without gaps
    digest text not null,               -- of the entry
    entry text not null                 -- canonical bytes of schemas::entry::Entry
);

-- Files that were loaded: the same file twice is refused.
create table if not exists loads (
    id text primary key,                -- random name, also the staging folder
    file_digest text not null unique,   -- BLAKE3 of the source file
    dataset text not null,
    dictionary text not null,           -- digest of the dictionary that coded it
    unit text not null,                 -- what counts as a patient: `patient` or `row`
    span text not null,                 -- what a month of it holds: its `month` or the whole `year`
    rows_kept bigint not null,
    rows_quarantined bigint not null,
    findings bigint not null,           -- identifiers found in what it wrote; any blocks release
    at bigint not null
);

-- Dictionaries that the node accepted; the highest version is in use.
create table if not exists dictionaries (
    version bigint primary key,
    digest text not null unique,
    body text not null,                 -- canonical bytes of schemas::dictionary::Dictionary
    signed bigint not null              -- 0: accepted unsigned, for a trial
);

-- By which the loader recognises the pseudonym key that a year's data depend on.
create table if not exists pseudonym_keys (
    year bigint primary key,
    check_value text not null
);

-- One row a month and load. A month is `staged` until the data officer releases it.
create table if not exists months (
    load_id text not null references loads (id),
    month text not null,                -- YYYY-MM
    release bigint,                     -- null while staged; rises over all releases of this node
    grade text,                         -- A to D, set at release
    restated_by bigint,                 -- the release that replaced this one
    folder text not null,               -- column files, below the data folder
    rows bigint not null,
    quality text not null,              -- A to D, as the load's quality report came to
    data_digest text not null,          -- BLAKE3 of the two column files
    ranks_digest text not null,
    primary key (load_id, month)
);

-- Privacy loss by data year: never falls and never renews. The limits are the policy's, compared
-- in the same statement that adds.
create table if not exists ledger (
    year bigint not null,
    purpose text not null,              -- `all` for the whole allowance, else the quota's purpose
    spent_nano bigint not null check (spent_nano >= 0),
    primary key (year, purpose)
);

-- Answers: one noise for one question on one state of the data, for ever.
create table if not exists answers (
    question text not null,             -- digest of the question
    releases text not null,             -- release numbers, joined by commas
    mechanism text not null,            -- digest of the layout
    sealed text not null,               -- the signed answer as sent
    charged_nano bigint not null,       -- per data year; 0 for a later month of a paid series
    at bigint not null,
    primary key (question, releases, mechanism)
);

-- Series (a year's months for one reserved charge): which months were answered on which release.
create table if not exists series (
    series text not null,
    month text not null,
    release bigint not null,
    primary key (series, month, release)
);

-- A round's name stands for one signed round for ever; another one under the name is refused.
create table if not exists round_names (
    id text primary key,
    round text not null                 -- digest of the round
);

-- Rounds already replied to, so that a restart sends the same bytes.
create table if not exists replies (
    round text primary key,             -- digest of the round
    sealed text not null,               -- the signed reply
    acknowledged bigint not null default 0
);

-- The highest time on which node and coordinator agreed, in one row: a clock that runs behind it is
-- not believed.
create table if not exists clock (
    id bigint primary key check (id = 1),
    highest bigint not null
);
