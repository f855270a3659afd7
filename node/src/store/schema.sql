-- State of one node. Written so that PostgreSQL takes it too. Whole numbers only, no floats.

-- Which version these tables and the texts in them are of; see `versions.rs`.
create table if not exists schema_version (
    id bigint primary key check (id = 1),
    version bigint not null,
    build text not null                 -- that brought the state to it
);

create table if not exists log (
    sequence bigint primary key,        -- 1, 2, 3 … without gaps
    digest text not null,               -- of the entry
    leaf text not null,                 -- RFC 6962 hash of the entry's bytes as a leaf
    entry text not null                 -- canonical bytes of schemas::entry::Entry
);

-- Append-only (PostgreSQL: the same as trigger functions). Whoever owns the file can drop these;
-- what then changes is found by the chain, the tree and the witnesses.
create trigger if not exists log_keeps_entries before update on log
begin select raise(abort, 'the log is append-only'); end;
create trigger if not exists log_loses_nothing before delete on log
begin select raise(abort, 'the log is append-only'); end;

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

-- How far views of the hospital's own database were read, by the loads that stand.
create table if not exists view_marks (
    number bigint primary key,
    load_id text not null,
    source text not null,               -- digest of the view's name, key, watermark and filters
    mark text not null,                 -- the greatest watermark that was read
    rows_at bigint not null             -- rows that had it
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
    left_at bigint,                     -- when the coordinator was known to have it
    primary key (question, releases, mechanism)
);

-- Counts and sums that answers told, each by exactly its dimensions, filters and bounds, and of
-- which data: parts are pooled only beside wholes of the same data that have left.
create table if not exists told_wholes (
    whole text not null,                -- as policies::plan::told names it
    question text not null,
    releases text not null,
    mechanism text not null,
    dictionary text not null,           -- digest of the question's dictionary
    first_month text not null,          -- YYYY-MM
    last_month text not null,
    data text not null,                 -- months and their release numbers
    primary key (whole, question, releases, mechanism),
    foreign key (question, releases, mechanism) references answers (question, releases, mechanism)
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

-- Checkpoints of this node's log, signed by it, with the cosignatures that came back.
create table if not exists checkpoints (
    origin text not null,               -- name of the log and its generation
    size bigint not null,
    note text not null,                 -- C2SP signed note
    primary key (origin, size)
);

-- Message keys of other organisations as the coordinator told them; each new one is in the log.
create table if not exists witness_keys (
    organisation text not null,
    public_key text not null,           -- Ed25519, hexadecimal
    primary key (organisation, public_key)
);

-- What this node cosigned last of each other log. Changed in the transaction of the cosigning.
create table if not exists witnessed (
    origin text primary key,
    size bigint not null,
    note text not null,                 -- with this node's cosignature
    sent bigint not null                -- 0 until the coordinator has it
);

-- Two checkpoints of one log that contradict each other.
create table if not exists forks (
    origin text not null,
    held text not null,                 -- the note that was cosigned
    shown text not null,                -- the note that was refused
    at bigint not null,
    primary key (origin, shown)
);

-- Checkpoints of this node's own log that this state file does not continue: nothing is answered
-- until each is burned.
create table if not exists rollbacks (
    origin text not null,
    size bigint not null,
    note text not null,                 -- signed by this node itself
    at bigint not null,
    burned bigint,                      -- when a steward burned the gap
    primary key (origin, size)
);

-- Backups that were put back: nothing is answered until an officer acknowledged each.
create table if not exists restores (
    position bigint primary key,        -- 1, 2, 3 …
    backup text not null,               -- digest of the backup's list
    taken bigint not null,              -- when the backup was made
    entries bigint not null,            -- of the log in it
    at bigint not null,
    acknowledged bigint
);

-- Month closes: what the hospital committed to, in the order of its settlement log. A restated
-- month has a higher version; both are kept.
create table if not exists closes (
    month text not null,                -- YYYY-MM
    version bigint not null,            -- 1, 2 …
    list text not null,                 -- BLAKE3 by which the list is recognised
    first bigint not null unique,       -- number of its first entry in the settlement log
    frontier text not null,             -- the log after it: size and peaks
    checkpoint text not null,           -- signed note
    at bigint not null,
    primary key (month, version)
);

-- One payer's batch of a close. Counts and totals stay here; the payer is sent its own.
create table if not exists close_batches (
    month text not null,
    version bigint not null,
    payer text not null,
    first bigint not null unique,       -- number of its header in the settlement log
    leaves bigint not null,             -- padding included
    settlements bigint not null,
    amount text not null,               -- whole fen, decimal
    blinding text not null,             -- opens the total's commitment
    nonce text,                         -- what the payer committed its sampling nonce to
    primary key (month, version, payer),
    foreign key (month, version) references closes (month, version)
);

-- Insurers that may audit their own settlements, by message key.
create table if not exists audit_payers (
    payer text primary key,
    key text not null
);

-- Audit requests already answered: the same request again gets the same bytes and counts once.
create table if not exists audit_replies (
    request text primary key,           -- digest of the signed request
    payer text not null,
    month text not null,
    reply text not null                 -- the signed reply
);

-- What was evaluated and opened for a payer and month; limits are compared in the statement that
-- adds.
create table if not exists audit_spent (
    payer text not null,
    month text not null,
    evaluated bigint not null check (evaluated >= 0),
    opened bigint not null check (opened >= 0),
    primary key (payer, month)
);

-- Audit requests that open leaves, for the officers to decide on.
create table if not exists audit_openings (
    request text primary key,           -- digest of the signed request
    payer text not null,
    month text not null,
    version bigint not null,
    leaves bigint not null,             -- how many are asked for
    checkpoint text not null,           -- digest of the checkpoint that they stand under
    refused text,                       -- the officer who refused, if one did
    reason text,                        -- in that officer's words; it stays out of the log
    at bigint not null
);

-- Officers' approvals of them.
create table if not exists audit_signatures (
    request text not null references audit_openings (request),
    officer text not null,
    approval text not null,             -- schemas::officer::OpeningApproval, sealed
    primary key (request, officer)
);

-- Persons who decide at this hospital: how they came and left, in order.
create table if not exists officers (
    position bigint primary key,        -- 1, 2, 3 …
    step text not null                  -- policies::access::Step
);

-- Policies that two of them signed, in the order in which they did: the last one in force counts.
create table if not exists policies (
    position bigint primary key,        -- 1, 2, 3 …
    signed text not null                -- policies::access::Signed
);

-- Rounds that wait, or waited, for the steward.
create table if not exists inbox (
    round text primary key,             -- digest of the round
    name text not null unique,
    body text not null,                 -- canonical bytes of schemas::round::Round
    deadline bigint not null,
    state text not null check (state in ('pending', 'approved', 'held', 'released', 'sent', 'refused', 'late')),
    approval text,                      -- sealed schemas::officer::QuestionApproval
    reason text,                        -- why it was refused, in the steward's words; not in the log
    at bigint not null
);

-- Templates that the steward lets be answered unasked; one a template.
create table if not exists standing (
    template text primary key,          -- name@version
    sealed text not null                -- schemas::officer::StandingApproval
);

-- Every round that was looked at, for quotas.
create table if not exists questions (
    round text primary key,             -- digest of the round
    question text not null,             -- digest of the question
    shape text not null,                -- digest of tables and measures: what near-duplicates share
    free bigint not null,               -- 1 where no template was named
    suspect bigint not null default 0,  -- 1 where it was refused or a near-duplicate
    at bigint not null
);

-- The last word on whether rounds are answered at all; the newest row counts.
create table if not exists locks (
    position bigint primary key,
    locked bigint not null,
    who text not null,                  -- the officer, or `policy`
    at bigint not null
);

-- What was tried and came to nothing before it could be a question. Once a message.
create table if not exists alarms (
    message text primary key,           -- digest of the message
    kind text not null,
    at bigint not null
);

-- The highest time on which node and coordinator agreed, in one row: a clock that runs behind it is
-- not believed.
create table if not exists clock (
    id bigint primary key check (id = 1),
    highest bigint not null
);

-- Whether what was told about a subject (stays, or a field) of these months was attributed or
-- pooled: it is never both.
create table if not exists released_subjects (
    subject text not null,
    way text not null check (way in ('attributed', 'pooled')),
    first_month text not null,          -- YYYY-MM
    last_month text not null,
    primary key (subject, way, first_month, last_month)
);

-- Versions of the alliance's key list that this node followed; the highest is pinned.
create table if not exists pooled_lists (
    version bigint primary key,
    hash text not null unique,
    body text not null,                 -- canonical bytes of pooled::key_list::KeyList
    at bigint not null
);

-- Key lists that this hospital countersigned: one a version, for ever.
create table if not exists pooled_countersigned (
    version bigint primary key,
    hash text not null
);

-- Organisations of the key list whose fingerprint the steward compared and accepted.
create table if not exists pooled_members (
    fingerprint text primary key,
    member text not null,
    sealed text not null                -- schemas::officer::MemberApproval
);

-- Pooled rounds whose manifest was accepted: one manifest a name, with the moment and the list by
-- which it was checked.
create table if not exists pooled_rounds (
    round text primary key,
    manifest text not null unique,      -- H(M)
    offer text not null,                -- pooled::offer::Offer as received
    list text not null references pooled_lists (hash),
    at bigint not null
);

-- What became of each pooled round that was offered, in words for the steward; it decides nothing.
create table if not exists pooled_said (
    round text primary key,
    state text not null check (state in ('waits', 'declined', 'uploaded', 'missed')),
    why text not null,                  -- rules and next steps, no value of a patient
    closes bigint not null,
    at bigint not null
);

-- What became of each pooled round in whose committee this node sits, in the same way.
create table if not exists pooled_seat_said (
    round text primary key,
    state text not null check (state in ('awaited', 'said', 'missed')),
    why text not null,                  -- what was said, or why it was not
    closes bigint not null,             -- the committee's last moment
    at bigint not null
);

-- Uploads: charged and stored in one change, sent as they are. No exact number, noise or seed.
create table if not exists pooled_uploads (
    round text primary key references pooled_rounds (round),
    manifest text not null unique,
    question text not null,             -- digest of the question
    upload blob not null,
    digest text not null,               -- by which survivor sets cite it
    charged_nano bigint not null,       -- per data year
    worst_nano bigint not null,         -- per data year, if the committee colludes
    purpose text not null,              -- the ledger's line that paid beside `all`
    answer_by bigint not null,
    let_go bigint not null default 0,   -- the steward's word was asked once more
    taken bigint not null default 0,    -- the coordinator has it, or will never take it
    voided bigint,                      -- when its round was voided; the upload is empty then
    at bigint not null
);

-- Rounds whose void certificate this node verified: they have no result, for ever.
create table if not exists pooled_voided (
    manifest text primary key,          -- H(M)
    round text not null,
    certificate text not null,          -- pooled::survivors::VoidCertificate
    at bigint not null
);

-- This seat's one vote in a round, stored before it is signed.
create table if not exists pooled_ballots (
    round text primary key references pooled_rounds (round),
    ballot text not null,               -- pooled::vote::Ballot
    earlier text,                       -- pooled::family::Earlier of the set voted for; none of a void
    at bigint not null
);

-- Certificates that this node verified: which sets of a family were unmasked.
create table if not exists pooled_certified (
    manifest text primary key,
    round text not null,
    certificate text not null,
    earlier text not null,              -- pooled::family::Earlier
    at bigint not null
);

-- Asks for receipts against rollback: own nonces, with what was sent.
create table if not exists pooled_nonces (
    nonce text primary key,
    origin text not null,               -- the own log's name
    size bigint not null,               -- and its size as sent
    sealed text not null,               -- pooled::receipt::Asked
    ended bigint not null default 0,    -- 1 once the process started anew
    at bigint not null
);

-- What seats said to them.
create table if not exists pooled_receipts (
    nonce text not null references pooled_nonces (nonce),
    witness text not null,
    size bigint not null,               -- how much of this log the seat knew
    counts bigint not null,             -- 1 where it knew as much as was sent
    told text not null,                 -- pooled::receipt::Told
    primary key (nonce, witness)
);

-- How far others' logs had got when they asked this seat; never given up but for what continues it.
create table if not exists pooled_seen (
    subject text primary key,
    note text not null,                 -- signed by the subject
    at bigint not null
);

-- Mask sums that this seat gave; asked again, it gives the same bytes.
create table if not exists pooled_sums (
    round text not null references pooled_rounds (round),
    class bigint not null,
    sent blob not null,
    primary key (round, class)
);

-- Months whose costs were closed, with what they follow from. A month that was closed again has a
-- higher version; all are kept.
create table if not exists cost_months (
    month text not null,                -- YYYY-MM
    version bigint not null,            -- 1, 2 …
    rules text not null,                -- policies::costing::CostRules
    ledgers text not null,              -- policies::costing::Ledgers
    closed text not null,               -- policies::costing::Closed
    at bigint not null,
    primary key (month, version)
);

-- Rates of closed months: what a day, or a charged fen, of a department cost.
create table if not exists cost_rates (
    month text not null,                -- YYYY-MM
    version bigint not null,            -- of the close
    method text not null,               -- policies::costing::Method
    digest text not null,               -- of the table
    rates text not null,                -- policies::costing::RateTable
    primary key (month, version, method)
);

-- Which rates cost stays, from which month on; signed by two officers. Only added to.
create table if not exists cost_orders (
    number bigint primary key,          -- 1, 2, 3 …; the highest that fits a month counts
    from_month text not null,           -- YYYY-MM, after the month of the rates
    rates text not null,                -- policies::costing::RateTable, a copy that stays
    signed text not null,               -- the sealed orders
    at bigint not null
);

-- By which rates the cost of a loaded month was computed. Stays at the node.
create table if not exists month_rates (
    load_id text not null,
    month text not null,                -- YYYY-MM
    period text not null,               -- YYYY-MM, the closed month of the rates
    method text not null,
    digest text not null,               -- of the table
    primary key (load_id, month)
);

-- Loads of a pilot: only some departments' stays are in them.
create table if not exists pilot_loads (
    load_id text primary key
);

-- Crosswalks: tables of codes under a name. A version counts from an officer's approval on.
create table if not exists crosswalks (
    name text not null,
    version bigint not null,            -- 1, 2 …
    body text not null,                 -- node::ingest::crosswalk::Crosswalk
    approval text,                      -- sealed by an officer; null while drafted
    at bigint not null,
    primary key (name, version)
);

-- The last quality run of each dataset and month. Findings and scores stay at the node.
create table if not exists quality_runs (
    dataset text not null,              -- `stays` or `consumables`
    month text not null,                -- YYYY-MM
    load_id text not null,              -- the load that was examined
    rules text not null,                -- policies::quality::QualityRules
    rows bigint not null,               -- those that the load refused among them
    timeliness bigint not null,         -- 0 to 100
    provisional bigint not null,        -- 1 where the three-way match fell short
    at bigint not null,
    primary key (dataset, month)
);

-- What was found, with its state: open, fixed or waived. No row of a patient, no value.
create table if not exists quality_findings (
    id text primary key,
    dataset text not null,
    month text not null,
    known text not null,                -- policies::quality::Known
    first_at bigint not null,
    at bigint not null
);

-- Persons of finance, signed for by two registered officers; they decide about nothing else.
create table if not exists quality_finance (
    name text primary key,
    officer text not null,              -- schemas::officer::Officer
    signed text not null                -- schemas::seal::Sealed<Officer>, a list
);

-- Finance's signatures under quality reports; each fits one report of one load.
create table if not exists quality_signed (
    month text not null,
    load_id text not null,
    report text not null,               -- digest of report and findings
    sealed text not null,               -- quality::SignedOff
    at bigint not null,
    primary key (month, load_id, report)
);

-- Early warnings that were told: neither a case's number nor a day.
create table if not exists warnings (
    id text primary key,                -- keyed hash of what makes it the same warning
    subject text not null,              -- keyed hash of the case's number; empty of days and months
    month text not null,
    alert text not null,                -- policies::early::Alert, without case and day
    at bigint not null
);

-- The steps of each month of each load: who took them, and why in the node's own words.
create table if not exists dataset_steps (
    load_id text not null,
    month text not null,                -- YYYY-MM
    step text not null check (step in ('validated', 'deidentified', 'released', 'retired')),
    officer text not null,
    why text not null,                  -- routine, retention or request
    at bigint not null,
    primary key (load_id, month, step)
);

-- Months that were retired. Their release numbers are never given again; their years take no further
-- loads, because the order of a patient's rows, by which contributions are bounded, went with them.
create table if not exists retired_months (
    load_id text not null references loads (id),
    month text not null,                -- YYYY-MM
    release bigint,                     -- null where it was never released
    folder text not null,
    files_left bigint not null,         -- 1 until its files are deleted
    at bigint not null,
    primary key (load_id, month)
);

-- Data-use agreements. The documents lie elsewhere.
create table if not exists agreements (
    id text primary key,
    agreement text not null,            -- lifecycle::Agreement
    added_by text not null,
    at bigint not null,
    ended_by text,                      -- the officer who ended it before its last day
    ended bigint
);

-- Who may sign in to the node's pages. Passwords are not kept: argon2id of them is.
create table if not exists accounts (
    name text primary key,
    role text not null check (role in ('finance', 'steward', 'security_officer', 'it')),
    password text not null,             -- salt and hash, hexadecimal, with the parameters
    changed bigint not null
);
