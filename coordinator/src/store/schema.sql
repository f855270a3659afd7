-- State of the coordinator. Written so that PostgreSQL takes it too. Whole numbers only.

create table if not exists log (
    sequence bigint primary key,        -- 1, 2, 3 … without gaps
    digest text not null,               -- of the entry
    entry text not null                 -- canonical bytes of schemas::entry::Entry
);

-- One-time codes. One row a hospital: a new code replaces an unused older one.
create table if not exists invites (
    hospital text primary key,
    secret text not null unique,        -- digest of the secret; the secret itself is not kept
    expires bigint not null,
    used bigint                         -- when it was used up
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

-- Persons who decide in the alliance, in the order in which they were registered.
create table if not exists administrators (
    name text primary key,
    position bigint not null unique,
    officer text not null,              -- schemas::officer::Officer
    signed text not null                -- the same, sealed by two earlier ones (list; empty for the first two)
);

-- The last policy that each of them signed.
create table if not exists policy_approvals (
    officer text primary key references administrators (name),
    policy text not null,               -- digest
    sealed text not null                -- schemas::officer::PolicyApproval
);
