-- State of the coordinator. Written so that PostgreSQL takes it too. Whole numbers only.

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

-- One-time codes. One row a hospital: a new code replaces an unused older one.
create table if not exists invites (
    hospital text primary key,
    secret text not null unique,        -- digest of the secret; the secret itself is not kept
    expires bigint not null,
    used bigint,                        -- when it was used up
    invited_by text not null            -- another administrator approves who joins with it
);

-- The members as enrolled. An earlier certificate or key stands in the log.
create table if not exists members (
    hospital text primary key,
    certificate text not null unique,   -- digest of the client certificate
    message_key text not null,          -- Ed25519, hexadecimal
    joined bigint not null
);

-- When a member was last heard of. Not part of the log: it changes nothing.
create table if not exists heartbeats (
    hospital text primary key,
    at bigint not null
);

create table if not exists dictionaries (
    version bigint primary key,         -- 1, 2, 3 …
    digest text not null unique,
    sealed text not null,               -- schemas::seal::Sealed<Dictionary>
    at bigint not null
);

create table if not exists rounds (
    id text primary key,
    digest text not null unique,
    sealed text not null,               -- schemas::seal::Sealed<Round>
    state text not null check (state in ('open', 'closed', 'dead')),
    opened bigint not null,
    deadline bigint not null,
    ended bigint
);

create table if not exists roster (
    round text not null references rounds (id),
    hospital text not null,
    primary key (round, hospital)
);

-- What hospitals said. Never changed: a second reply with other bytes is refused and logged.
create table if not exists replies (
    round text not null references rounds (id),
    hospital text not null,
    sealed text not null,               -- schemas::seal::Sealed<Reply> as received
    message_key text not null,          -- the key it was verified with
    said text not null,                 -- `answered` or the reason
    at bigint not null,
    primary key (round, hospital)
);

-- Checkpoints of every log that the coordinator cosigned, its own included. The newest of a log is
-- what the coordinator has seen of it; changed in the transaction of the cosigning.
create table if not exists checkpoints (
    origin text not null,
    size bigint not null,
    organisation text not null,
    old bigint not null,                -- size of the checkpoint before
    proof text not null,                -- consistency proof from there, JSON
    note text not null,                 -- C2SP signed note with the cosignatures so far
    primary key (origin, size)
);

-- Two checkpoints of one log that contradict each other.
create table if not exists forks (
    origin text not null,
    held text not null,                 -- the note that was cosigned
    shown text not null,                -- the note that was refused
    at bigint not null,
    primary key (origin, shown)
);

-- Insurers that were admitted to audit. An earlier certificate stands in the log.
create table if not exists insurers (
    insurer text primary key,
    certificate text not null unique,   -- digest of the client certificate
    at bigint not null
);

-- Audit requests on their way to hospitals, and replies on their way back: opaque signed bytes.
create table if not exists audit_relay (
    id text primary key,                -- digest of insurer, hospital and request
    insurer text not null,
    hospital text not null,
    request text not null,
    reply text,
    at bigint not null
);

-- Books that hospitals published for payers: sealed leaves.
create table if not exists audit_books (
    hospital text not null,
    insurer text not null,
    month text not null,
    book blob not null,
    at bigint not null,
    primary key (hospital, insurer, month)
);

-- Persons who decide in the alliance: how they came and left, in order.
create table if not exists administrators (
    position bigint primary key,        -- 1, 2, 3 …
    step text not null                  -- policies::access::Step
);

-- The last policy that each of them signed.
create table if not exists policy_approvals (
    officer text primary key,
    policy text not null,               -- digest
    sealed text not null                -- schemas::officer::PolicyApproval
);

-- Policies that two of them signed, in the order in which they did: the last one in force counts.
create table if not exists policies (
    position bigint primary key,        -- 1, 2, 3 …
    signed text not null                -- policies::access::Signed
);

-- Who may sign in to the pages. Passwords are not kept: argon2id of them is.
create table if not exists accounts (
    name text primary key,
    role text not null check (role in ('administrator', 'auditor')),
    password text not null,             -- salt and hash, hexadecimal, with the parameters
    changed bigint not null
);

-- Certificates issued to hospitals and insurers: each is accepted, superseded or revoked by its own row.
create table if not exists certificates (
    number bigint primary key,          -- 1, 2, 3 … in the order of issue
    digest text not null unique,
    role text not null check (role in ('hospital', 'insurer')),
    holder text not null,
    serial text not null unique,        -- hexadecimal, as in revocation lists
    expires bigint not null,
    accepted_until bigint,              -- set at the first use of a newer one; null before
    revoked bigint
);

-- Whether a member takes part. One row a hospital that has joined.
create table if not exists standings (
    hospital text primary key,
    standing text not null check (standing in ('pending', 'active', 'revoked')),
    invited_by text not null,
    approved_by text
);

-- Signed requests of the last minutes with what was responded: the same again gets the same.
create table if not exists messages (
    hospital text not null,
    id text not null,
    request text not null,              -- digest of the signed request
    status bigint not null,
    kind text not null,                 -- content type
    body text not null,
    receipt text not null,
    expires bigint not null,
    primary key (hospital, id)
);

-- The highest time seen, in one row: a clock that runs behind it is not believed.
create table if not exists clock (
    id bigint primary key check (id = 1),
    highest bigint not null
);

-- Budget years, each under its rules for good.
create table if not exists years (
    year bigint primary key,
    rules text not null,                -- policies::year::Rules
    earlier text not null default '[]'  -- rules of openings that were withdrawn
);

-- What was said in them, in the order in which it was taken.
create table if not exists year_statements (
    year bigint not null references years (year),
    position bigint not null,           -- 1, 2, 3 …
    statement text not null,            -- schemas::year::Statement, sealed
    administrators text not null,       -- who was administrator then, and the keys
    taken bigint not null,
    primary key (year, position)
);

-- Results that were proposed, with their inputs.
create table if not exists year_results (
    year bigint not null references years (year),
    position bigint not null,           -- 1, 2, 3 …
    digest text not null,
    inputs text not null,
    computed text not null,             -- policies::year::Computed
    primary key (year, position),
    unique (year, digest)
);

-- What an organisation is in the key list; a member that is not named here is a hospital and its own
-- entity.
create table if not exists pooled_bodies (
    name text primary key,
    kind text not null check (kind in ('hospital', 'insurer', 'authority')),
    entity text not null
);

-- Committees, for ever.
create table if not exists pooled_committees (
    epoch bigint primary key,           -- 1, 2, 3 …
    f bigint not null,
    operator_seats bigint not null,
    seats text not null                 -- names in order, JSON
);

-- Keys for boxes that seats published.
create table if not exists pooled_seat_keys (
    epoch bigint not null,
    member text not null,
    month text not null,
    sealed text not null,               -- pooled::key_list::SeatKey
    primary key (epoch, member, month)
);

-- Versions of the key list. One waits for countersignatures at a time.
create table if not exists pooled_lists (
    version bigint primary key,
    hash text not null unique,
    sealed text not null,               -- pooled::key_list::KeyList
    needed bigint not null,             -- countersignatures of distinct entities
    published bigint not null
);

create table if not exists pooled_countersignatures (
    version bigint not null references pooled_lists (version),
    member text not null,
    sealed text not null,
    primary key (version, member)
);

-- Pooled rounds.
create table if not exists pooled_rounds (
    id text primary key,
    manifest text not null unique,      -- H(M)
    offer text not null,                -- pooled::offer::Offer
    list text not null references pooled_lists (hash),
    state text not null check (state in ('open', 'proposed', 'certified', 'done', 'dead', 'void')),
    why text,                           -- of a dead one
    opened bigint not null,
    ended bigint
);

create table if not exists pooled_uploads (
    round text not null references pooled_rounds (id),
    hospital text not null,
    digest text not null,               -- of what the hospital signed, verified when it came
    upload blob not null,
    at bigint not null,
    primary key (round, hospital)
);

-- Survivor sets in the order in which they were proposed: stored before any member is shown one.
create table if not exists pooled_sets (
    round text not null references pooled_rounds (id),
    number bigint not null,
    survivors text not null,
    at bigint not null,
    primary key (round, number)
);

-- What seats said to a set.
create table if not exists pooled_words (
    round text not null,
    number bigint not null,
    member text not null,
    kind text not null check (kind in ('sound', 'complaint', 'vote')),
    word text not null,
    primary key (round, number, member, kind),
    foreign key (round, number) references pooled_sets (round, number)
);

create table if not exists pooled_certificates (
    round text primary key references pooled_rounds (id),
    certificate text not null
);

-- Words on mask sums, with or without their vectors.
create table if not exists pooled_sums (
    round text not null references pooled_rounds (id),
    class bigint not null,
    member text not null,
    with_vector bigint not null,
    sent blob not null,
    primary key (round, class, member)
);

-- Votes that a dead round has no result, and the certificate that a quorum of them is.
create table if not exists pooled_void_votes (
    round text not null references pooled_rounds (id),
    member text not null,
    sealed text not null,               -- pooled::vote::Void
    primary key (round, member)
);

create table if not exists pooled_voids (
    round text primary key references pooled_rounds (id),
    certificate text not null           -- pooled::survivors::VoidCertificate
);

-- Receipts against rollback: the newest ask of each member, and what seats said to it.
create table if not exists pooled_asks (
    subject text primary key,
    nonce text not null,
    sealed text not null,               -- pooled::receipt::Asked
    at bigint not null
);

create table if not exists pooled_receipts (
    subject text not null references pooled_asks (subject),
    witness text not null,
    told text not null,                 -- pooled::receipt::Told
    primary key (subject, witness)
);

create table if not exists pooled_totals (
    round text primary key references pooled_rounds (id),
    totals text not null                -- pooled::published::Written
);
