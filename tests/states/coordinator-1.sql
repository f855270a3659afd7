-- A coordinator's state as the build of 2026-11-23 08:41 (e700f62) kept it, without a version: a year
-- with a plan in force. Made by that build's own test of a year, dumped as text; keys of that test only.
BEGIN TRANSACTION;
CREATE TABLE administrators (
    position bigint primary key,        -- 1, 2, 3 …
    step text not null                  -- policies::access::Step
);
INSERT INTO "administrators" VALUES(1,'{"joins":{"officer":{"organisation":"river","name":"wang-fang","role":"administrator","key":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"},"signed":[]}}');
INSERT INTO "administrators" VALUES(2,'{"joins":{"officer":{"organisation":"river","name":"chen-jie","role":"administrator","key":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a"},"signed":[]}}');
CREATE TABLE audit_books (
    hospital text not null,
    insurer text not null,
    month text not null,
    book blob not null,
    at bigint not null,
    primary key (hospital, insurer, month)
);
CREATE TABLE audit_relay (
    id text primary key,                -- digest of insurer, hospital and request
    insurer text not null,
    hospital text not null,
    request text not null,
    reply text,
    at bigint not null
);
CREATE TABLE certificates (
    number bigint primary key,          -- 1, 2, 3 … in the order of issue
    digest text not null unique,
    role text not null check (role in ('hospital', 'insurer')),
    holder text not null,
    serial text not null unique,        -- hexadecimal, as in revocation lists
    expires bigint not null,
    accepted_until bigint,              -- set at the first use of a newer one; null before
    revoked bigint
);
CREATE TABLE checkpoints (
    origin text not null,
    size bigint not null,
    organisation text not null,
    old bigint not null,                -- size of the checkpoint before
    proof text not null,                -- consistency proof from there, JSON
    note text not null,                 -- C2SP signed note with the cosignatures so far
    primary key (origin, size)
);
CREATE TABLE clock (
    id bigint primary key check (id = 1),
    highest bigint not null
);
CREATE TABLE dictionaries (
    version bigint primary key,         -- 1, 2, 3 …
    digest text not null unique,
    sealed text not null,               -- schemas::seal::Sealed<Dictionary>
    at bigint not null
);
CREATE TABLE forks (
    origin text not null,
    held text not null,                 -- the note that was cosigned
    shown text not null,                -- the note that was refused
    at bigint not null,
    primary key (origin, shown)
);
CREATE TABLE heartbeats (
    hospital text primary key,
    at bigint not null
);
CREATE TABLE insurers (
    insurer text primary key,
    certificate text not null unique,   -- digest of the client certificate
    at bigint not null
);
CREATE TABLE invites (
    hospital text primary key,
    secret text not null unique,        -- digest of the secret; the secret itself is not kept
    expires bigint not null,
    used bigint,                        -- when it was used up
    invited_by text not null            -- another administrator approves who joins with it
);
CREATE TABLE log (
    sequence bigint primary key,        -- 1, 2, 3 … without gaps
    digest text not null,               -- of the entry
    leaf text not null,                 -- RFC 6962 hash of the entry's bytes as a leaf
    entry text not null                 -- canonical bytes of schemas::entry::Entry
);
INSERT INTO "log" VALUES(1,'6a1f31584e72d5b9faee2f86c73801f7044410a35723f01913f01803cb21f423','99804a49a662aa6d4df64aae039e4c94ecb65845b6252c2555ca69d503bf68f7','{"at":0,"detail":{"name":"wang-fang"},"kind":"administrator","previous":"0000000000000000000000000000000000000000000000000000000000000000","sequence":1,"subject":"a345fa31d7eefa46dbfc60c99acb39a39db6075d2765e9b6d3d22dfcd8109a93"}');
INSERT INTO "log" VALUES(2,'dd5b455de7135d95086a241ccdcbe05d40a7a47eaff769991ac0a051a61733f6','3189fa1edbef110ae6bf4ddc3fdb15947c0a18e65c66aa806daf62f72e4e9bb9','{"at":0,"detail":{"name":"chen-jie"},"kind":"administrator","previous":"6a1f31584e72d5b9faee2f86c73801f7044410a35723f01913f01803cb21f423","sequence":2,"subject":"51340779bca3256bdceee59191963a965875aa81182a51fd716433758b88b9f7"}');
INSERT INTO "log" VALUES(3,'35041a0b7c9055a31c2483799cd1a9830a121796aaf8042a28b2724ccdfb81dd','adcbe34da4cdeb5eb79d1735206bb8110e829fa98a2652c36cef52fffeeff963','{"at":2,"detail":{"by":"wang-fang","says":"open","year":"2026"},"kind":"year","previous":"dd5b455de7135d95086a241ccdcbe05d40a7a47eaff769991ac0a051a61733f6","sequence":3,"subject":"8a06c0ca58862bc64db49aa535e67b2841b383228ecf8e9d65cecbdd5e6b57b2"}');
INSERT INTO "log" VALUES(4,'e66cca2a131407fc2fd130c0934710d4e33feb19bd676d9b73411281ad64e6c0','aad49b364e363f4d781bb41e028a0d3c17635b69bf8165850fa1e4c976382804','{"at":3,"detail":{"by":"wang-fang","says":"invite","year":"2026"},"kind":"year","previous":"35041a0b7c9055a31c2483799cd1a9830a121796aaf8042a28b2724ccdfb81dd","sequence":4,"subject":"2bb41f2e87c5f2ccdd87add8b01f50657fe656e558a17a8a53a9a122eb6409bb"}');
INSERT INTO "log" VALUES(5,'1298c80ed28566cd69a1a6c1d034703bed8eb354fe7526cdb16d8dd74db5e677','100472f2e0fb24310bcee03f2fd8f2d1de46c9651b5c866c0d274730cff8caa4','{"at":4,"detail":{"by":"wang-fang","says":"review","year":"2026"},"kind":"year","previous":"e66cca2a131407fc2fd130c0934710d4e33feb19bd676d9b73411281ad64e6c0","sequence":5,"subject":"d0ade56c495121f1283023a8250e8b3c9dcdcd6e227513c2fcee60536befd2c6"}');
INSERT INTO "log" VALUES(6,'13b88f3ff9aa006c4320e0615a3ff63b58521d0e9d5ef3a6ea16a3dfbaedf9a8','0d459bc8e96fadd808ee40dfbb9594d588fec3f240399fd7f68b80f422828851','{"at":5,"detail":{"by":"wang-fang","says":"propose","year":"2026"},"kind":"year","previous":"1298c80ed28566cd69a1a6c1d034703bed8eb354fe7526cdb16d8dd74db5e677","sequence":6,"subject":"a07bdc08b324870982de0bad1320ddc70231a0d63c66ae20627aa78ce0cac00e"}');
INSERT INTO "log" VALUES(7,'b33a1e1724565d5da7b5bdcbe484affd5856aad78f6e48c1bd01f4f033ad7e93','526c7cfed38f3e5122d7315b5fbed80c1ecab3c5009e42cac38988ad704bbd01','{"at":6,"detail":{"by":"a","says":"accept","year":"2026"},"kind":"year","previous":"13b88f3ff9aa006c4320e0615a3ff63b58521d0e9d5ef3a6ea16a3dfbaedf9a8","sequence":7,"subject":"a450099b17b2d45cfc511b5794a17f641fed18f74c3aaaae7c481559da9aa0c6"}');
INSERT INTO "log" VALUES(8,'d3506b62ef2b7e9aa1f2014f0ff94365aa8dc7b646f8a9f414af4e1538aefdcb','f488c8b041b848a57ba5995c21eb48ad483b46913486aee34ec6049548638c0e','{"at":7,"detail":{"by":"b","says":"accept","year":"2026"},"kind":"year","previous":"b33a1e1724565d5da7b5bdcbe484affd5856aad78f6e48c1bd01f4f033ad7e93","sequence":8,"subject":"163ebe81aace5131a71692b6b5a45c0a0887a3e066ae76095218391e3880856b"}');
INSERT INTO "log" VALUES(9,'1687cf04855d3b5cc1c76a4ecd9862d392119269bb3b663d41e60ecf3281ae93','389b5be59fcff04d6dd826a4dc5f2a5e52c70c82e8f687758e69adde6493d0f5','{"at":8,"detail":{"by":"c","says":"accept","year":"2026"},"kind":"year","previous":"d3506b62ef2b7e9aa1f2014f0ff94365aa8dc7b646f8a9f414af4e1538aefdcb","sequence":9,"subject":"43997d8ad95271cf296f4d3cdcb3d3eef8b9c061159a3365b77d154c9c23955a"}');
INSERT INTO "log" VALUES(10,'23519d32fab0749bcc98ae74295f29e45d0329305b1bee21907054eb4054319c','3f7ab00d885f3cbcb5423175d56c27ad43b8f7e6ceb8a9ed218f5c730950aa58','{"at":9,"detail":{"by":"d","says":"accept","year":"2026"},"kind":"year","previous":"1687cf04855d3b5cc1c76a4ecd9862d392119269bb3b663d41e60ecf3281ae93","sequence":10,"subject":"6a4df9bdf2208b50c05fd87fbdd146eb7afaf3e7c7a98ef0ff35365d010daae8"}');
INSERT INTO "log" VALUES(11,'10d95558a314a3c5c88516809b62fe361e77aae424b6636817107e6e2ae39460','18ad7e125d16fd6344b1556c6c10e17f939f5820c1431c8358baa3168184c4e9','{"at":10,"detail":{"by":"insurer","says":"sign","year":"2026"},"kind":"year","previous":"23519d32fab0749bcc98ae74295f29e45d0329305b1bee21907054eb4054319c","sequence":11,"subject":"4e3ab26f7f10be7aba99ae7ddb1a9d5e46235de482a95ce70fe3d4e7560d381e"}');
INSERT INTO "log" VALUES(12,'91fbca2168b2e4647b3191d7accf52fd1e9f64a4319138797638c5e83cf144c7','3f5c6764ef3c816654ecc96a6817173bced484e6ac6250ce1fddf963b7426a9a','{"at":11,"detail":{"by":"lead-hospital","says":"sign","year":"2026"},"kind":"year","previous":"10d95558a314a3c5c88516809b62fe361e77aae424b6636817107e6e2ae39460","sequence":12,"subject":"b1866339cf2dec6c99086ebc6fcabdb5f71bd1a04d5a5e07ebf9f9615541a7f5"}');
INSERT INTO "log" VALUES(13,'7a58d5b5f2eda3e0463f70b414cdbee34a505bd41e672b338a4e362634b6ed94','f387e68b3bd4e3526d9520e62e3d538fcc0175565cdb751877faebdb9ccf5f62','{"at":12,"detail":{"by":"members","says":"sign","year":"2026"},"kind":"year","previous":"91fbca2168b2e4647b3191d7accf52fd1e9f64a4319138797638c5e83cf144c7","sequence":13,"subject":"20599e48b663accaaef7295fb9dadd6dece602fda6c802377eb2ac6a17cf4d7a"}');
INSERT INTO "log" VALUES(14,'6bff6c6cc09f8dfd7b23f1d872ecbab93303b260e3e8f9398b3c2611b0a20156','c361dbb62a55f5b396bd647e2114fc54c999a77e86d4f3541468d008a3448ef2','{"at":13,"detail":{"by":"grassroots","says":"sign","year":"2026"},"kind":"year","previous":"7a58d5b5f2eda3e0463f70b414cdbee34a505bd41e672b338a4e362634b6ed94","sequence":14,"subject":"0621054c86b5fad4a2506fbe55e37aea76ad71c800a800b82e9507e035a2b96e"}');
INSERT INTO "log" VALUES(15,'2847273ece569fe3f1e23ac82fb999541873f7e5c3f14ffc2c722a2f86626582','b323e1c498386c58d8dfe5fed4b41d2395a287b6db73e53b761b9e7cbc338c55','{"at":14,"detail":{"by":"patients","says":"sign","year":"2026"},"kind":"year","previous":"6bff6c6cc09f8dfd7b23f1d872ecbab93303b260e3e8f9398b3c2611b0a20156","sequence":15,"subject":"e2a991264547fec9915b4113faa58e4b3f69207cfed3b8302f01261b1aef65d7"}');
CREATE TABLE members (
    hospital text primary key,
    certificate text not null unique,   -- digest of the client certificate
    message_key text not null,          -- Ed25519, hexadecimal
    joined bigint not null
);
CREATE TABLE messages (
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
CREATE TABLE policies (
    position bigint primary key,        -- 1, 2, 3 …
    signed text not null                -- policies::access::Signed
);
CREATE TABLE policy_approvals (
    officer text primary key,
    policy text not null,               -- digest
    sealed text not null                -- schemas::officer::PolicyApproval
);
CREATE TABLE pooled_asks (
    subject text primary key,
    nonce text not null,
    sealed text not null,               -- pooled::receipt::Asked
    at bigint not null
);
CREATE TABLE pooled_bodies (
    name text primary key,
    kind text not null check (kind in ('hospital', 'insurer', 'authority')),
    entity text not null
);
CREATE TABLE pooled_certificates (
    round text primary key references pooled_rounds (id),
    certificate text not null
);
CREATE TABLE pooled_committees (
    epoch bigint primary key,           -- 1, 2, 3 …
    f bigint not null,
    operator_seats bigint not null,
    seats text not null                 -- names in order, JSON
);
CREATE TABLE pooled_countersignatures (
    version bigint not null references pooled_lists (version),
    member text not null,
    sealed text not null,
    primary key (version, member)
);
CREATE TABLE pooled_lists (
    version bigint primary key,
    hash text not null unique,
    sealed text not null,               -- pooled::key_list::KeyList
    needed bigint not null,             -- countersignatures of distinct entities
    published bigint not null
);
CREATE TABLE pooled_receipts (
    subject text not null references pooled_asks (subject),
    witness text not null,
    told text not null,                 -- pooled::receipt::Told
    primary key (subject, witness)
);
CREATE TABLE pooled_rounds (
    id text primary key,
    manifest text not null unique,      -- H(M)
    offer text not null,                -- pooled::offer::Offer
    list text not null references pooled_lists (hash),
    state text not null check (state in ('open', 'proposed', 'certified', 'done', 'dead', 'void')),
    why text,                           -- of a dead one
    opened bigint not null,
    ended bigint
);
CREATE TABLE pooled_seat_keys (
    epoch bigint not null,
    member text not null,
    month text not null,
    sealed text not null,               -- pooled::key_list::SeatKey
    primary key (epoch, member, month)
);
CREATE TABLE pooled_sets (
    round text not null references pooled_rounds (id),
    number bigint not null,
    survivors text not null,
    at bigint not null,
    primary key (round, number)
);
CREATE TABLE pooled_sums (
    round text not null references pooled_rounds (id),
    class bigint not null,
    member text not null,
    with_vector bigint not null,
    sent blob not null,
    primary key (round, class, member)
);
CREATE TABLE pooled_totals (
    round text primary key references pooled_rounds (id),
    totals text not null                -- pooled::published::Written
);
CREATE TABLE pooled_uploads (
    round text not null references pooled_rounds (id),
    hospital text not null,
    digest text not null,               -- of what the hospital signed, verified when it came
    upload blob not null,
    at bigint not null,
    primary key (round, hospital)
);
CREATE TABLE pooled_void_votes (
    round text not null references pooled_rounds (id),
    member text not null,
    sealed text not null,               -- pooled::vote::Void
    primary key (round, member)
);
CREATE TABLE pooled_voids (
    round text primary key references pooled_rounds (id),
    certificate text not null           -- pooled::survivors::VoidCertificate
);
CREATE TABLE pooled_words (
    round text not null,
    number bigint not null,
    member text not null,
    kind text not null check (kind in ('sound', 'complaint', 'vote')),
    word text not null,
    primary key (round, number, member, kind),
    foreign key (round, number) references pooled_sets (round, number)
);
CREATE TABLE replies (
    round text not null references rounds (id),
    hospital text not null,
    sealed text not null,               -- schemas::seal::Sealed<Reply> as received
    message_key text not null,          -- the key it was verified with
    said text not null,                 -- `answered` or the reason
    at bigint not null,
    primary key (round, hospital)
);
CREATE TABLE roster (
    round text not null references rounds (id),
    hospital text not null,
    primary key (round, hospital)
);
CREATE TABLE rounds (
    id text primary key,
    digest text not null unique,
    sealed text not null,               -- schemas::seal::Sealed<Round>
    state text not null check (state in ('open', 'closed', 'dead')),
    opened bigint not null,
    deadline bigint not null,
    ended bigint
);
CREATE TABLE standings (
    hospital text primary key,
    standing text not null check (standing in ('pending', 'active', 'revoked')),
    invited_by text not null,
    approved_by text
);
CREATE TABLE year_results (
    year bigint not null references years (year),
    position bigint not null,           -- 1, 2, 3 …
    digest text not null,
    inputs text not null,
    computed text not null,             -- policies::year::Computed
    primary key (year, position),
    unique (year, digest)
);
INSERT INTO "year_results" VALUES(2026,1,'6a28cb3fca945c3f82e069ae3f5a2328cb6a9b839c58103aa8317babaaf9f770','{"year": 2026, "total": 100000000000, "members": [
 {"id": "a", "tier": "tertiary", "before": [62000000000], "factors": {"case-weighted-volume": {"value": "52000", "variance": "250000"}, "served-population": {"value": "180000"}, "chronic-managed": {"value": "4000"}}, "scores": {"technology": {"value": "1.51"}, "efficiency": {"value": "86"}, "quality": {"value": "86"}}},
 {"id": "b", "tier": "secondary", "before": [21000000000], "factors": {"case-weighted-volume": {"value": "21000", "variance": "250000"}, "served-population": {"value": "150000"}, "capability-score": {"value": "76"}, "chronic-managed": {"value": "9000"}}},
 {"id": "c", "tier": "grassroots", "before": [9000000000], "deduction": 700, "factors": {"case-weighted-volume": {"value": "6500"}, "served-population": {"value": "240000"}, "capability-score": {"value": "71"}, "chronic-managed": {"value": "26000"}}},
 {"id": "d", "tier": "grassroots", "before": [4000000000], "factors": {"case-weighted-volume": {"value": "3100"}, "served-population": {"value": "130000"}, "capability-score": {"value": "64"}, "chronic-managed": {"value": "15000"}}}],
 "groups": [{"group": "ES35", "cost": 600001, "days": "7.1"}, {"group": "FM19", "cost": 4600000, "days": "9"}]}','{"plan":{"year":2026,"rules":"b1ae8a9d651aa9eb79e4454ab09a81019e1558868bb41ad3e0710baf09e0a4ff","inputs":"ae6b00bb1aee7d7b7ea148817989d83f9198af9321675ff870d4ebb2dfecfeaf","total":100000000000,"reserve":5000000000,"deducted":700,"distributable":95000000000,"members":[{"id":"a","tier":"tertiary","base_share":"0.645833","factor_share":"0.358302","share":"0.530821","unclipped":50427990759,"floor":55218750000,"ceiling":79760416667,"pinned":"floor","amount":55218750000,"deduction":0,"change":"-0.100000","earmarks":{},"monthly":[4601562500,4601562500,4601562500,4601562500,4601562500,4601562500,4601562500,4601562500,4601562500,4601562500,4601562500,4601562500],"noise":{"held":{"stays":"0.6228"}}},{"id":"b","tier":"secondary","base_share":"0.218750","factor_share":"0.226724","share":"0.221940","unclipped":21084259460,"floor":18703125000,"ceiling":27015625000,"pinned":"free","amount":23057291667,"deduction":0,"change":"0.109524","earmarks":{},"monthly":[1921440973,1921440973,1921440973,1921440972,1921440972,1921440972,1921440972,1921440972,1921440972,1921440972,1921440972,1921440972],"noise":{"interval":{"low":22877287259,"high":23057291667}}},{"id":"c","tier":"grassroots","base_share":"0.093750","factor_share":"0.257045","share":"0.159068","unclipped":15111444560,"floor":8015625000,"ceiling":11578125000,"pinned":"ceiling","amount":11578125000,"deduction":700,"change":"0.300000","earmarks":{"diabetes":2547187500},"monthly":[964843692,964843692,964843692,964843692,964843692,964843692,964843692,964843692,964843691,964843691,964843691,964843691],"noise":{"held":{"stays":"1.0000"}}},{"id":"d","tier":"grassroots","base_share":"0.041667","factor_share":"0.157929","share":"0.088172","unclipped":8376305221,"floor":3562500000,"ceiling":5145833333,"pinned":"ceiling","amount":5145833333,"deduction":0,"change":"0.300000","earmarks":{"diabetes":1132083333},"monthly":[428819445,428819445,428819445,428819445,428819445,428819444,428819444,428819444,428819444,428819444,428819444,428819444],"noise":{"held":{"stays":"1.0000"}}}],"structure":[],"not_separable":[],"controls":[{"group":"ES35","fee":600001,"day":84507,"days":"7.1"},{"group":"FM19","fee":4600000,"day":511111,"days":"9.0"}]}}');
CREATE TABLE year_statements (
    year bigint not null references years (year),
    position bigint not null,           -- 1, 2, 3 …
    statement text not null,            -- schemas::year::Statement, sealed
    administrators text not null,       -- who was administrator then, and the keys
    taken bigint not null,
    primary key (year, position)
);
INSERT INTO "year_statements" VALUES(2026,1,'{"alg":"ed25519","key":"a345fa31d7eefa46dbfc60c99acb39a39db6075d2765e9b6d3d22dfcd8109a93","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjEsImJ5Ijoid2FuZy1mYW5nIiwic2F5cyI6eyJvcGVuIjp7Im1lbWJlcnMiOnsiYSI6ImFmYWFlZmM4YjVmYzY3M2MyMmM0NTExYjllMjIyZjQ0MDM0YWU1NjNkMjQzOWFmMDgzNTE0NWUzNzQ5NDVlY2UiLCJiIjoiZTgyM2E1OTUzMzQxY2IyZDFhMzJiZmE1YjFiOTJkY2U0NDdiZWU5MzlhYzBhZTU0NWE1NTBlNzZiYzIyZTVhMCIsImMiOiI4ZTc5ZmUwZmQ4ZjkzMWU1N2MwMjgwYTA0Mjg4OTQyMWMxNjhiOTVkZmJiYWJhMzQxNzNkMmVjZDY0ODY0ZjBjIiwiZCI6IjY1MmY1MDVkMDkwZDY2NGNiNDNhZGY1MjE0ZDY0MzVjYzZjNTljZTdlMGRmZGM3MzhmNDc2NDMxMzNlZDQxNmUifSwicGFydGllcyI6eyJjb21taXR0ZWUiOiJhNTFmYjA3OTg5NWM4OTcxMGQ1OTJiM2MxNzQwNjNjZTJiYmQwYzc3YThjMjI3NjdmMzZjNmE2YzFjYzgxYWE4IiwiZ3Jhc3Nyb290cyI6IjgzZGE2NGExODY5ZDY3N2FjNTA4ZGFhMzc0ZmZkM2ZjMjM4ZGQ4MzM2M2VlN2E1YzA4NGQwY2Y5ZGQ1MDYxODAiLCJpbnN1cmVyIjoiYmRjMjUzYzM2MjIwY2FlNmRmYjkwZmNhYWNhZWI0MjAzOGRiMDBlZjc3MjM1YzY1MjU5NGE0N2NkZDZhOWZmOSIsImxlYWQtaG9zcGl0YWwiOiIwZTUyYjk4ZWIzZjIyMjBmNzY5NmJiZmU0YzRmOWE0YWIwNWFlZjQxODI2MjZkNjNkYTE1OWIxOGI1YTg4ZTQxIiwibWVtYmVycyI6IjM0YTRiNDdlZWYwNDFlZjdkM2E2ZmQxYWRkZGVjOWVjZmNiNTRhMjM5NGYzZmVkMDM4ZGIzNGQwMzMxM2ExMTciLCJwYXRpZW50cyI6ImFjMmZhNjg4OWQxM2MyNDRjZmU1NDhkNjRlNDRkN2NkYTI5NzEyMjlmYjk0MDM1ZjA0M2ZmYzRlMzMyYjU3YmMifSwicnVsZXMiOiJhYjlmOTlmMzA1MWMwNTc1NTllODY2ZTYzZWYwOGUxMTZiOWY1ZGIxMWU2ZTA0NWJmYzc5NTM5ZmY1YjU1NTdhIiwidGFyZ2V0IjoxMDAwMDAwMDAwMDB9fSwieWVhciI6MjAyNn0=","signature":"K/PB/hDr4GdsT9b0pVitJZmEPfPbgPzRThgl/8FllgNjMjv9rA5WYvW4ZTlVav9OMTRPnZ4BOZq8BW4JcCu9BA=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',2);
INSERT INTO "year_statements" VALUES(2026,2,'{"alg":"ed25519","key":"a345fa31d7eefa46dbfc60c99acb39a39db6075d2765e9b6d3d22dfcd8109a93","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjIsImJ5Ijoid2FuZy1mYW5nIiwic2F5cyI6Imludml0ZSIsInllYXIiOjIwMjZ9","signature":"jgNuhIqL9RvQVkp3UxldNF9lsIIqSvcKIQBCWFZ4IHU3Ri+qf8K4ALz1YXRAqebv+9sK6r71wMM3B4SvqrbfDg=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',3);
INSERT INTO "year_statements" VALUES(2026,3,'{"alg":"ed25519","key":"a345fa31d7eefa46dbfc60c99acb39a39db6075d2765e9b6d3d22dfcd8109a93","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjMsImJ5Ijoid2FuZy1mYW5nIiwic2F5cyI6InJldmlldyIsInllYXIiOjIwMjZ9","signature":"mQRIA5Ly8qELpa9W2Yi5XBHMTrd8DmY5V/jov88xl1F8jIYARzNOGb0pbG4l3dLTAW7agxaJ0X0b7vh2ibtRAg=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',4);
INSERT INTO "year_statements" VALUES(2026,4,'{"alg":"ed25519","key":"a345fa31d7eefa46dbfc60c99acb39a39db6075d2765e9b6d3d22dfcd8109a93","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjUsImJ5Ijoid2FuZy1mYW5nIiwic2F5cyI6eyJwcm9wb3NlIjp7Im1hdHRlciI6InBsYW4iLCJyZXN1bHQiOiI2YTI4Y2IzZmNhOTQ1YzNmODJlMDY5YWUzZjVhMjMyOGNiNmE5YjgzOWM1ODEwM2FhODMxN2JhYmFhZjlmNzcwIiwid2h5IjoiIn19LCJ5ZWFyIjoyMDI2fQ==","signature":"gzlasItzP88JmRcRWFY820cn8b40Fe/hVzAgxnK3Dsw+BKRXN4LO3FNFiOlAK9LYa6Vx4sq0kCRd7BZgsvwIDQ=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',5);
INSERT INTO "year_statements" VALUES(2026,5,'{"alg":"ed25519","key":"693a827cb478cf3ddb46c2c7359c958e13122f28e889724f0815f9fbc5c7f014","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjUsImJ5IjoiYSIsInNheXMiOnsiYWNjZXB0Ijp7Im1hdHRlciI6InBsYW4iLCJyZXN1bHQiOiI2YTI4Y2IzZmNhOTQ1YzNmODJlMDY5YWUzZjVhMjMyOGNiNmE5YjgzOWM1ODEwM2FhODMxN2JhYmFhZjlmNzcwIn19LCJ5ZWFyIjoyMDI2fQ==","signature":"5Hnmu1tZgtKBi0KOxAUDjIdg9vwpVRIT6yOnl29F/0UNwaN47qcy8EgIS0rUcFLxFRBjxNatZd9tDJGnaxV7AA=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',6);
INSERT INTO "year_statements" VALUES(2026,6,'{"alg":"ed25519","key":"b674dd8ca3fdef871aa8936e1531963c27b2ac714544eb04162785974e05184c","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjYsImJ5IjoiYiIsInNheXMiOnsiYWNjZXB0Ijp7Im1hdHRlciI6InBsYW4iLCJyZXN1bHQiOiI2YTI4Y2IzZmNhOTQ1YzNmODJlMDY5YWUzZjVhMjMyOGNiNmE5YjgzOWM1ODEwM2FhODMxN2JhYmFhZjlmNzcwIn19LCJ5ZWFyIjoyMDI2fQ==","signature":"+SojZfHKEprT/NXvr/Fs5GUh2QOh5aDnZGkmDzfOziZyhlQ1j7EIXLONud7CkevZneopKyoNXdaaVKS1Fip8Aw=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',7);
INSERT INTO "year_statements" VALUES(2026,7,'{"alg":"ed25519","key":"f81cf7d852cc8f540b5fc65b497f7c81e3dba56f7b083f6d135612463e886934","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjcsImJ5IjoiYyIsInNheXMiOnsiYWNjZXB0Ijp7Im1hdHRlciI6InBsYW4iLCJyZXN1bHQiOiI2YTI4Y2IzZmNhOTQ1YzNmODJlMDY5YWUzZjVhMjMyOGNiNmE5YjgzOWM1ODEwM2FhODMxN2JhYmFhZjlmNzcwIn19LCJ5ZWFyIjoyMDI2fQ==","signature":"FIwIS+QTfxyc7Ceb0Nb5Vdi32IXBXpjyZ+UmmsArt/xGmoe+Pz5W5nwcYRmpNZG3NMh4pJTxJnUwqUbVsBvZAg=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',8);
INSERT INTO "year_statements" VALUES(2026,8,'{"alg":"ed25519","key":"9fa41d6cffb80022131d8cbd20f33f1f22008eebd1600e2f3f2c2d2bd4b17254","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjgsImJ5IjoiZCIsInNheXMiOnsiYWNjZXB0Ijp7Im1hdHRlciI6InBsYW4iLCJyZXN1bHQiOiI2YTI4Y2IzZmNhOTQ1YzNmODJlMDY5YWUzZjVhMjMyOGNiNmE5YjgzOWM1ODEwM2FhODMxN2JhYmFhZjlmNzcwIn19LCJ5ZWFyIjoyMDI2fQ==","signature":"ipDTuObJM4Ilttenu4YlocbyuR4qdeH0+Ve7QoulK+Ong4FW1xPrmB8fzdk0358mP/WoK5CAQvNEas8q3U8NDg=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',9);
INSERT INTO "year_statements" VALUES(2026,9,'{"alg":"ed25519","key":"30e3776b26760402cdbc0224a10017cb45247a82dda0ff724abb8c588a98cca6","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjksImJ5IjoiaW5zdXJlciIsInNheXMiOnsic2lnbiI6eyJtYXR0ZXIiOiJwbGFuIiwicmVzdWx0IjoiNmEyOGNiM2ZjYTk0NWMzZjgyZTA2OWFlM2Y1YTIzMjhjYjZhOWI4MzljNTgxMDNhYTgzMTdiYWJhYWY5Zjc3MCJ9fSwieWVhciI6MjAyNn0=","signature":"zotuInfpyd+IG599DL9PFfagKkFD/v3Nhp3lxcT4cF/N7ILuPjmgKou+8sR/BaGCAN9uEEG5aE4rxaUaznWbDw=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',10);
INSERT INTO "year_statements" VALUES(2026,10,'{"alg":"ed25519","key":"a0549393e8894ef3eddd37cd74a81ccb466e9c907eb577ecfc8567e5476075dc","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjEwLCJieSI6ImxlYWQtaG9zcGl0YWwiLCJzYXlzIjp7InNpZ24iOnsibWF0dGVyIjoicGxhbiIsInJlc3VsdCI6IjZhMjhjYjNmY2E5NDVjM2Y4MmUwNjlhZTNmNWEyMzI4Y2I2YTliODM5YzU4MTAzYWE4MzE3YmFiYWFmOWY3NzAifX0sInllYXIiOjIwMjZ9","signature":"eHa1n2IkC4DVUsYfcaij78BnCg5hTbf7wg/X9O1yszFUzXfooWuK37zjyAgjnQ9US2sbkY2XJpcdII5ZsgYeCQ=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',11);
INSERT INTO "year_statements" VALUES(2026,11,'{"alg":"ed25519","key":"e47e1db6e78484dc6c9dc9fdb04c31d6ae3e378a9da92d8c3be46c5cf9ec29a5","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjExLCJieSI6Im1lbWJlcnMiLCJzYXlzIjp7InNpZ24iOnsibWF0dGVyIjoicGxhbiIsInJlc3VsdCI6IjZhMjhjYjNmY2E5NDVjM2Y4MmUwNjlhZTNmNWEyMzI4Y2I2YTliODM5YzU4MTAzYWE4MzE3YmFiYWFmOWY3NzAifX0sInllYXIiOjIwMjZ9","signature":"1LLQXWRB3rVHAoF0XYJ319SgPHo/Jp8PUVWrL8w4cmtYeMRmLi+u63ICxTufP+tZ1nLAJDjI5iK8cPdjedr/CQ=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',12);
INSERT INTO "year_statements" VALUES(2026,12,'{"alg":"ed25519","key":"103f65d5f9cac7b775a97aaa0d3e7ccaf3a567f78262b94d21066cd29c57c2c9","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjEyLCJieSI6ImdyYXNzcm9vdHMiLCJzYXlzIjp7InNpZ24iOnsibWF0dGVyIjoicGxhbiIsInJlc3VsdCI6IjZhMjhjYjNmY2E5NDVjM2Y4MmUwNjlhZTNmNWEyMzI4Y2I2YTliODM5YzU4MTAzYWE4MzE3YmFiYWFmOWY3NzAifX0sInllYXIiOjIwMjZ9","signature":"cf+xDj4mIOLFQW5CTWefgn5r6HLkhbXnvk9pEqOoorp/KY+XOPAVu52+7cHwjFc5FLUeM/M4oby4csrKDwhaBA=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',13);
INSERT INTO "year_statements" VALUES(2026,13,'{"alg":"ed25519","key":"f1a32c18c7a273f6162a10d0827e0e5bfd6bc530b221d8d9e2c09f4de3b2678d","body":"eyJhbGxpYW5jZSI6InJpdmVyIiwiYXQiOjEzLCJieSI6InBhdGllbnRzIiwic2F5cyI6eyJzaWduIjp7Im1hdHRlciI6InBsYW4iLCJyZXN1bHQiOiI2YTI4Y2IzZmNhOTQ1YzNmODJlMDY5YWUzZjVhMjMyOGNiNmE5YjgzOWM1ODEwM2FhODMxN2JhYmFhZjlmNzcwIn19LCJ5ZWFyIjoyMDI2fQ==","signature":"uaxtabfvHspNLaET+6PSySje8h5rTcmZbmVNJ2DWp0ntDIHXB0jSjYhoUvwT+3b7tVAJVYmuKo8B/6/jsDrUBg=="}','{"chen-jie":"30873955d928159a34691f8519009ebc41707b9ae612ee4207904900fde3a28a","wang-fang":"c1ba0ab7123dbb23cacfa1393f0f71388985349474da26e48dd1f90da1d33a4a"}',14);
CREATE TABLE years (
    year bigint primary key,
    rules text not null,                -- policies::year::Rules
    earlier text not null default '[]'  -- rules of openings that were withdrawn
);
INSERT INTO "years" VALUES(2026,'{"year":{"version":1,"effective":"2025-01","insurer":"insurer","matters":{"plan":{"signers":["grassroots","insurer","lead-hospital","members","patients"],"deciders":["administrator"],"objection_days":15},"settlement":{"signers":["committee","insurer"],"deciders":["committee","insurer"],"objection_days":30},"bonus":{"signers":["insurer","members"],"deciders":["administrator"],"objection_days":15},"appraisal":{"signers":["insurer","patients"],"deciders":["administrator"],"objection_days":15}}},"budget":{"version":1,"effective":"2025-01","reserve":"0.05","alpha":"0.6","history":["1","2","7"],"floor":"0.9","ceiling":"1.3","factors":[{"id":"case-weighted-volume","weight":"0.35","past":true},{"id":"served-population","weight":"0.25","past":false},{"id":"capability-score","weight":"0.2","past":false},{"id":"chronic-managed","weight":"0.2","past":false}],"earmarks":[{"id":"diabetes","tiers":["grassroots"],"share":"0.22"}],"structure_gap":"0.2","capability":{"tertiary":{"efficiency":"0.3","quality":"0.3","technology":"0.4"},"secondary":{"efficiency":"0.3","quality":"0.3","technology":"0.4"},"grassroots":{"accessibility":"0.5","efficiency":"0.25","quality":"0.25"}},"scales":{"technology":{"worst":"0.6","best":"1.6"}},"control_level":"1"},"bonus":{"version":1,"effective":"2025-01","basic_members":"0.6","performance_grassroots":"0.8","dimensions":[{"id":"referral-share","weight":"0.4"},{"id":"chronic-control","weight":"0.35"},{"id":"grassroots-growth","weight":"0.25"}],"gate":"0","gate_covers_prizes":true,"gaming":[{"id":"same-group-readmission-15","limit":"0.05","keeps":"0.8"},{"id":"stays-of-one-or-two-days","limit":"0.2","keeps":"0.9"},{"id":"volume-jump","limit":"0.3","keeps":"0.9"}],"pool":{"share":"0.3","referrals":"0.5","top":3}},"overspend":{"version":1,"effective":"2025-01","insurer":"0.3","next_year":"1","corridor":{"full_from":"0.85","slices":[{"to":"1.05","covers":"0.7"},{"to":"1.15","covers":"0.5"}]}},"appraisal":{"version":1,"effective":"2025-01","indicators":[{"id":"low-risk-mortality","name":"低风险组死亡率","aspect":"quality","worst":"0.05","best":"0","about":null},{"id":"complications","name":"术后并发症发生率","aspect":"quality","worst":"6","best":"2","about":null},{"id":"satisfaction","name":"患者满意度","aspect":"quality","worst":"80","best":"95","about":null},{"id":"length-of-stay","name":"平均住院日","aspect":"efficiency","worst":"10","best":"7","about":null},{"id":"bed-turnover","name":"床位周转率","aspect":"efficiency","worst":"30","best":"42","about":null},{"id":"grassroots-visits","name":"基层就诊占比","aspect":"outcome","worst":"40","best":"65","about":null},{"id":"cost-growth","name":"次均费用增长率","aspect":"economy","worst":"8","best":"3","about":"cost_control"},{"id":"budget-deviation","name":"预算执行偏差率","aspect":"economy","worst":"10","best":"2","about":null},{"id":"chronic-control","name":"慢病控制率","aspect":"outcome","worst":"50","best":"70","about":null},{"id":"two-way-referral","name":"双向转诊率","aspect":"outcome","worst":"5","best":"20","about":"referral"}],"stages":{"quality":{"bed-turnover":7,"budget-deviation":6,"chronic-control":20,"complications":10,"cost-growth":8,"grassroots-visits":12,"length-of-stay":10,"low-risk-mortality":15,"two-way-referral":12},"strong-grassroots":{"bed-turnover":7,"budget-deviation":5,"chronic-control":10,"complications":8,"cost-growth":7,"grassroots-visits":25,"length-of-stay":8,"low-risk-mortality":10,"two-way-referral":20}},"sources":{"indicators":"0.7","patients":"0.2","social":"0.1"},"grades":[{"id":"excellent","from":"90","payment":"1.05","improve_days":null},{"id":"good","from":"80","payment":"1","improve_days":null},{"id":"pass","from":"60","payment":"1","improve_days":null},{"id":"fail","from":"0","payment":"1","improve_days":60}],"shortcomings":{"points":{"late-task":"2","management-gap":"3"},"most":"10"}},"alerts":{"version":1,"effective":"2025-01","blue":"0.9","yellow":"0.95","red":"1","deviation":"0.1","days":3,"anomaly":"0.2","months":3,"splurge":"0.1","volume":"0.15","variation":"0.3"}}','[]');
CREATE TRIGGER log_keeps_entries before update on log
begin select raise(abort, 'the log is append-only'); end;
CREATE TRIGGER log_loses_nothing before delete on log
begin select raise(abort, 'the log is append-only'); end;
COMMIT;
