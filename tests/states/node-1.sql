-- A node's state as builds up to 2026-11-23 14:00 kept it, without a version: generated data (seed 38),
-- months released, one question answered and charged. Dumped as text.
BEGIN TRANSACTION;
CREATE TABLE agreements (
    id text primary key,
    agreement text not null,            -- lifecycle::Agreement
    added_by text not null,
    at bigint not null,
    ended_by text,                      -- the officer who ended it before its last day
    ended bigint
);
CREATE TABLE alarms (
    message text primary key,           -- digest of the message
    kind text not null,
    at bigint not null
);
CREATE TABLE answers (
    question text not null,             -- digest of the question
    releases text not null,             -- release numbers, joined by commas
    mechanism text not null,            -- digest of the layout
    sealed text not null,               -- the signed answer as sent
    charged_nano bigint not null,       -- per data year; 0 for a later month of a paid series
    at bigint not null,
    left_at bigint,                     -- when the coordinator was known to have it
    primary key (question, releases, mechanism)
);
INSERT INTO "answers" VALUES('80a6a68d381f6a57a05a3c1e87db3a84d064e5cc89de27b119c24d9156912a29','3','91e4aed7233e37ae5e96992beae31967db0402d3808a8d303ac3ed485a3aac30','{"alg":"ed25519","key":"9174a31ecbbf98ad3f8069bd54be86e3a42ad6f8d01e64ade668f7fd79e61905","body":"eyJibG9ja3MiOltbOV0sWy0zMzkzNV0sWy04NTA2XSxbMjA0XSxbMTcsMCwtMTksMTMsNyw2LDksMTMsMiwtNSw5LDEsNCwtOCw2LDE0LC00LDksNCwyLDcsLTNdLFstNjEwNywtMTA0OTIsMTI0MzQsMzA2LC0xOTE1OCwtODY3LC01MzQzLDI1NDUsNjI5OSwtMTA5NiwtNjc3LC03ODU1LDE1NDMsODY4LDE3MjA0LC01OTA1LDE5MTksMzM0NiwxMzY2OCwzNTkzLDkwNDYsNTc5N10sWzg2OTUsLTE5NzczLDg4MjAsMjQ2OTksNjU4Niw2ODQzLDI0MDc4LC0zMDcyNiwxMDYwOSwzNjgyNywtMjk1NzgsMjAyNzQsLTEwMDEyLC00MjA1NCwtMjA2MTYsLTI2OTY0LDc4MjAsLTc1NTcsLTE5MzY3LDUwMDUsMjcwODUsOTcxMF0sWzI2OTM1LDQ5MjE3LC0zMTc0OCwtMzg3MiwtMjUzNzAsMTE0NzAsMjA5MzUsLTIzMTQ5LDM1NTg0LDY5NTc4LC04MTI0LDU4OTg1LDUyODgwLDMzNzg5LC05NzM0LDU3ODIsLTQ3ODMsMjM4OTEsNDY2MjcsNjIzMzcsLTU1ODkzLC0xODAwNiwzMDA2NiwtMTc4NSwtMTQ1ODEsMzM0MzEsLTI3Mjk3LDExMTQxLDUzNDAxLC0yMDc3NiwyNDgzMiwtNjc0MCwxMjAwMywyOTYzOSwtMTg3ODYsMjM2MzUsLTE2NTc3LC0zNDAxMSwzNDk2LC0xOTU4OCw3NDkxLC0yNDE0OSw0MzYzNCwtNDg0NCwzMDc5LDUzMDEsLTMzNTAwLDMxNzUsMjQ3OCwtMjcxNTIsLTI0MTEzLC02MDU4NiwtNjQ5MiwtNzY5LC0xMjExMCw0NTA2MiwyODc0OCwzNTg4NCwtMTMyMzUsNjUwMDgsLTEwMzQsMzI5MTgsLTM4OTI4LDE0NDE4LC0xNjE0NywtODkzMiwtMzYxMTcsLTQ1MTUwLDMzMzMzLC04MzI2LDQxODA3LC0yMTcwMCwzMDk3NywxNzkwMiwxMzk3NSwtMTAyNjEsLTcxOTQsLTUxNzg3LC01OTEyMywtOTY3MCwtNjc3OCwtNjQxNiwyNzE2LC0yNzk4LDE1ODU4LDE0NzI1LDY0NTQsLTY0MjQsMTY4MjEsLTIzMzg3LDM4OTY4LDI4ODI5LDM0NzU2LC0zNTE2NCwtMzUyOTgsLTYzMjMsMTQ5NTUsLTQyMTAsMjY2MSwtNDY2NTUsMzU3OCwtNDU3MTIsMTYwOTgsMjIwOTgsLTUwNzYsLTIxNzM5LDIxNDgyLDMxNzg3LC0yMjEyMSwtNzY0MTQsLTM3MTcxLC04MTAxLDM4MDU2LDMwNjE2LDM3MDI4LDQ2NDY4LC0yNjg4NywtMTA0NDAsMzA5NDAsLTEwMDE1LC0xNTIwMiw0NzUwMyw3OTY3LC0xMTQxLDQwMzI5LDI3MjMwLC0xNTkwOCwxMzA0NywxNDY4NiwyNDQzNSwtMjc5OTEsNDM5NiwtNTA2MCwxMzA5MywtMjMwMjQsLTQ0MjMxLC01NzAzLC04NDQyLDE1NDQ2LDE0ODYxLC00ODY0LC0zODg2OSwtMjM4NDcsNjg2MCw3MjYzOCw0ODU3LC0yNjg4MiwtOTUxMSwxMTg1OSwyNzAxMSw4MzA0LC0xNjE5MywtNjAzNjAsLTIxNzNdXSwiaG9zcGl0YWwiOiJoMDEiLCJtZWNoYW5pc20iOiI5MWU0YWVkNzIzM2UzN2FlNWU5Njk5MmJlYWUzMTk2N2RiMDQwMmQzODA4YThkMzAzYWMzZWQ0ODVhM2FhYzMwIiwicG9saWN5IjoiNzJjYTMxOTQ4ZDZmZjJkMjMwZDJlMTdjNTU2OWYxM2RiMjgzMjk4NzIzZjE4Njk0Mjc4Yjg1NjZjOTQ0ZWY2NiIsInF1ZXN0aW9uIjoiODBhNmE2OGQzODFmNmE1N2EwNWEzYzFlODdkYjNhODRkMDY0ZTVjYzg5ZGUyN2IxMTljMjRkOTE1NjkxMmEyOSIsInNuYXBzaG90cyI6W3siY291bnRlZCI6InBhdGllbnQiLCJncmFkZSI6IkEiLCJtb250aCI6IjIwMjUtMDMiLCJyZWxlYXNlIjozLCJzcGFuIjoibW9udGgifV19","signature":"TOdod0hpQLkj7vhMnKJYvfrSs9NyTunv8OJBkroHB4HhxrB+AKDz6MDC0hmwlVczav8sgxz/uU4Sm+wabUjYDg=="}',150000000,1795445401,NULL);
CREATE TABLE audit_openings (
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
CREATE TABLE audit_payers (
    payer text primary key,
    key text not null
);
CREATE TABLE audit_replies (
    request text primary key,           -- digest of the signed request
    payer text not null,
    month text not null,
    reply text not null                 -- the signed reply
);
CREATE TABLE audit_signatures (
    request text not null references audit_openings (request),
    officer text not null,
    approval text not null,             -- schemas::officer::OpeningApproval, sealed
    primary key (request, officer)
);
CREATE TABLE audit_spent (
    payer text not null,
    month text not null,
    evaluated bigint not null check (evaluated >= 0),
    opened bigint not null check (opened >= 0),
    primary key (payer, month)
);
CREATE TABLE checkpoints (
    origin text not null,               -- name of the log and its generation
    size bigint not null,
    note text not null,                 -- C2SP signed note
    primary key (origin, size)
);
CREATE TABLE clock (
    id bigint primary key check (id = 1),
    highest bigint not null
);
CREATE TABLE close_batches (
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
CREATE TABLE closes (
    month text not null,                -- YYYY-MM
    version bigint not null,            -- 1, 2 …
    list text not null,                 -- BLAKE3 by which the list is recognised
    first bigint not null unique,       -- number of its first entry in the settlement log
    frontier text not null,             -- the log after it: size and peaks
    checkpoint text not null,           -- signed note
    at bigint not null,
    primary key (month, version)
);
CREATE TABLE cost_months (
    month text not null,                -- YYYY-MM
    version bigint not null,            -- 1, 2 …
    rules text not null,                -- policies::costing::CostRules
    ledgers text not null,              -- policies::costing::Ledgers
    closed text not null,               -- policies::costing::Closed
    at bigint not null,
    primary key (month, version)
);
CREATE TABLE cost_orders (
    number bigint primary key,          -- 1, 2, 3 …; the highest that fits a month counts
    from_month text not null,           -- YYYY-MM, after the month of the rates
    rates text not null,                -- policies::costing::RateTable, a copy that stays
    signed text not null,               -- the sealed orders
    at bigint not null
);
CREATE TABLE cost_rates (
    month text not null,                -- YYYY-MM
    version bigint not null,            -- of the close
    method text not null,               -- policies::costing::Method
    digest text not null,               -- of the table
    rates text not null,                -- policies::costing::RateTable
    primary key (month, version, method)
);
CREATE TABLE crosswalks (
    name text not null,
    version bigint not null,            -- 1, 2 …
    body text not null,                 -- node::ingest::crosswalk::Crosswalk
    approval text,                      -- sealed by an officer; null while drafted
    at bigint not null,
    primary key (name, version)
);
CREATE TABLE dataset_steps (
    load_id text not null,
    month text not null,                -- YYYY-MM
    step text not null check (step in ('validated', 'deidentified', 'released', 'retired')),
    officer text not null,
    why text not null,                  -- routine, retention or request
    at bigint not null,
    primary key (load_id, month, step)
);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-01','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-01','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-01','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-02','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-02','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-02','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-03','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-03','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-03','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-04','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-04','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-04','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-05','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-05','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-05','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-06','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-06','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-06','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-07','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-07','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-07','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-08','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-08','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-08','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-09','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-09','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-09','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-10','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-10','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-10','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-11','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-11','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-11','released','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-12','validated','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-12','deidentified','Li Hua','routine',1795445383);
INSERT INTO "dataset_steps" VALUES('dfmfylkoybwj','2025-12','released','Li Hua','routine',1795445383);
CREATE TABLE dictionaries (
    version bigint primary key,
    digest text not null unique,
    body text not null,                 -- canonical bytes of schemas::dictionary::Dictionary
    signed bigint not null              -- 0: accepted unsigned, for a trial
);
INSERT INTO "dictionaries" VALUES(1,'23cb97cb3c7d1889414f8b1fd41f22bb8b68e9c8d72267fb7445be830f3d4e57','{"alliance":"river","bin_edges":[0,68,82,99,119,144,174,211,255,308,372,450,544,658,795,961,1162,1405,1698,2053,2482,3000,3627,4384,5300,6407,7746,9364,11320,13685,16544,20000],"cap":3,"currency":"CNY","dimensions":[{"id":"case_group","keys":[],"label":{"en":"Case group","zh":"病组"},"source":"case_group"},{"id":"mdc","keys":[],"label":{"en":"Major diagnostic category","zh":"主要诊断大类"},"source":"mdc"},{"id":"month","keys":[],"label":{"en":"Settlement month","zh":"结算月份"},"source":"month"},{"id":"severity","keys":[{"code":"mcc","label":{"en":"With major complications","zh":"伴严重并发症或合并症"}},{"code":"cc","label":{"en":"With complications","zh":"伴并发症或合并症"}},{"code":"none","label":{"en":"Without complications","zh":"不伴并发症或合并症"}},{"code":"unsplit","label":{"en":"Not subdivided","zh":"未细分"}},{"code":"other","label":{"en":"Other","zh":"其他"}}],"label":{"en":"Severity","zh":"严重程度"},"source":"exact"},{"id":"department","keys":[{"code":"0301","label":{"en":"Respiratory medicine","zh":"呼吸内科"}},{"code":"0302","label":{"en":"Gastroenterology","zh":"消化内科"}},{"code":"0303","label":{"en":"Neurology","zh":"神经内科"}},{"code":"0304","label":{"en":"Cardiology","zh":"心血管内科"}},{"code":"0305","label":{"en":"Haematology","zh":"血液内科"}},{"code":"0306","label":{"en":"Nephrology","zh":"肾病学"}},{"code":"0307","label":{"en":"Endocrinology","zh":"内分泌"}},{"code":"0308","label":{"en":"Rheumatology and immunology","zh":"免疫学"}},{"code":"0401","label":{"en":"General surgery","zh":"普通外科"}},{"code":"0402","label":{"en":"Neurosurgery","zh":"神经外科"}},{"code":"0403","label":{"en":"Orthopaedics","zh":"骨科"}},{"code":"0404","label":{"en":"Urology","zh":"泌尿外科"}},{"code":"0405","label":{"en":"Thoracic surgery","zh":"胸外科"}},{"code":"0406","label":{"en":"Cardiac surgery","zh":"心脏大血管外科"}},{"code":"0501","label":{"en":"Gynaecology","zh":"妇科"}},{"code":"0502","label":{"en":"Obstetrics","zh":"产科"}},{"code":"0701","label":{"en":"Paediatrics","zh":"儿科"}},{"code":"1000","label":{"en":"Ophthalmology","zh":"眼科"}},{"code":"1100","label":{"en":"Ear, nose and throat","zh":"耳鼻咽喉科"}},{"code":"1200","label":{"en":"Dentistry","zh":"口腔科"}},{"code":"1500","label":{"en":"Psychiatry","zh":"精神科"}},{"code":"1600","label":{"en":"Infectious diseases","zh":"传染科"}},{"code":"1900","label":{"en":"Oncology","zh":"肿瘤科"}},{"code":"2000","label":{"en":"Emergency medicine","zh":"急诊医学科"}},{"code":"2100","label":{"en":"Rehabilitation","zh":"康复医学科"}},{"code":"5000","label":{"en":"Chinese medicine","zh":"中医科"}},{"code":"other","label":{"en":"Other","zh":"其他"}}],"label":{"en":"Department","zh":"科室"},"source":"exact"},{"id":"sex","keys":[{"code":"m","label":{"en":"Male","zh":"男"}},{"code":"f","label":{"en":"Female","zh":"女"}},{"code":"other","label":{"en":"Other","zh":"其他"}}],"label":{"en":"Sex","zh":"性别"},"source":"exact"},{"id":"age_band","keys":[{"code":"0-4","label":{"en":"0-4","zh":"0—4岁"}},{"code":"5-9","label":{"en":"5-9","zh":"5—9岁"}},{"code":"10-14","label":{"en":"10-14","zh":"10—14岁"}},{"code":"15-19","label":{"en":"15-19","zh":"15—19岁"}},{"code":"20-24","label":{"en":"20-24","zh":"20—24岁"}},{"code":"25-29","label":{"en":"25-29","zh":"25—29岁"}},{"code":"30-34","label":{"en":"30-34","zh":"30—34岁"}},{"code":"35-39","label":{"en":"35-39","zh":"35—39岁"}},{"code":"40-44","label":{"en":"40-44","zh":"40—44岁"}},{"code":"45-49","label":{"en":"45-49","zh":"45—49岁"}},{"code":"50-54","label":{"en":"50-54","zh":"50—54岁"}},{"code":"55-59","label":{"en":"55-59","zh":"55—59岁"}},{"code":"60-64","label":{"en":"60-64","zh":"60—64岁"}},{"code":"65-69","label":{"en":"65-69","zh":"65—69岁"}},{"code":"70-74","label":{"en":"70-74","zh":"70—74岁"}},{"code":"75-79","label":{"en":"75-79","zh":"75—79岁"}},{"code":"80-84","label":{"en":"80-84","zh":"80—84岁"}},{"code":"85-89","label":{"en":"85-89","zh":"85—89岁"}},{"code":"90+","label":{"en":"90 and over","zh":"90岁及以上"}},{"code":"other","label":{"en":"Other","zh":"其他"}}],"label":{"en":"Age band","zh":"年龄段"},"source":"bands"},{"id":"district","keys":[{"code":"2301","label":{"en":"Harbin","zh":"哈尔滨市"}},{"code":"2302","label":{"en":"Qiqihar","zh":"齐齐哈尔市"}},{"code":"2303","label":{"en":"Jixi","zh":"鸡西市"}},{"code":"2304","label":{"en":"Hegang","zh":"鹤岗市"}},{"code":"2305","label":{"en":"Shuangyashan","zh":"双鸭山市"}},{"code":"2306","label":{"en":"Daqing","zh":"大庆市"}},{"code":"2307","label":{"en":"Yichun","zh":"伊春市"}},{"code":"2308","label":{"en":"Jiamusi","zh":"佳木斯市"}},{"code":"2309","label":{"en":"Qitaihe","zh":"七台河市"}},{"code":"2310","label":{"en":"Mudanjiang","zh":"牡丹江市"}},{"code":"2311","label":{"en":"Heihe","zh":"黑河市"}},{"code":"2312","label":{"en":"Suihua","zh":"绥化市"}},{"code":"2327","label":{"en":"Daxing''anling","zh":"大兴安岭地区"}},{"code":"other","label":{"en":"Other","zh":"其他"}}],"label":{"en":"District","zh":"地区"},"source":{"prefix":{"chars":4}}},{"id":"insurance","keys":[{"code":"employee","label":{"en":"Employees","zh":"职工医保"}},{"code":"resident","label":{"en":"Residents","zh":"居民医保"}},{"code":"other-insured","label":{"en":"Other insurance","zh":"其他保险"}},{"code":"self","label":{"en":"Self-paying","zh":"自费"}},{"code":"other","label":{"en":"Other","zh":"其他"}}],"label":{"en":"Insurance","zh":"参保类型"},"source":"exact"},{"id":"disposition","keys":[{"code":"home","label":{"en":"Home","zh":"医嘱离院"}},{"code":"transfer","label":{"en":"Transfer","zh":"医嘱转院"}},{"code":"left","label":{"en":"Left against advice","zh":"非医嘱离院"}},{"code":"died","label":{"en":"Died","zh":"死亡"}},{"code":"other","label":{"en":"Other","zh":"其他"}}],"label":{"en":"Disposition","zh":"离院方式"},"source":"exact"},{"id":"readmission","keys":[{"code":"none","label":{"en":"None","zh":"无"}},{"code":"within_15","label":{"en":"Within 15 days","zh":"15日内"}},{"code":"within_30","label":{"en":"16 to 30 days","zh":"16至30日"}},{"code":"other","label":{"en":"Other","zh":"其他"}}],"label":{"en":"Readmission","zh":"再入院"},"source":"exact"},{"id":"stay_band","keys":[{"code":"1-2","label":{"en":"1-2","zh":"1—2天"}},{"code":"3-7","label":{"en":"3-7","zh":"3—7天"}},{"code":"8-14","label":{"en":"8-14","zh":"8—14天"}},{"code":"15-30","label":{"en":"15-30","zh":"15—30天"}},{"code":"31+","label":{"en":"31 and over","zh":"31天及以上"}},{"code":"other","label":{"en":"Other","zh":"其他"}}],"label":{"en":"Days of stay","zh":"住院天数"},"source":"bands"},{"id":"diagnosis","keys":[{"code":"A","label":{"en":"Infectious diseases (A)","zh":"传染病和寄生虫病（A）"}},{"code":"B","label":{"en":"Infectious diseases (B)","zh":"传染病和寄生虫病（B）"}},{"code":"C","label":{"en":"Malignant neoplasms","zh":"恶性肿瘤"}},{"code":"D","label":{"en":"Other neoplasms, blood","zh":"其他肿瘤、血液病"}},{"code":"E","label":{"en":"Endocrine, nutritional, metabolic","zh":"内分泌、营养和代谢"}},{"code":"F","label":{"en":"Mental disorders","zh":"精神和行为障碍"}},{"code":"G","label":{"en":"Nervous system","zh":"神经系统"}},{"code":"H","label":{"en":"Eye and ear","zh":"眼、耳"}},{"code":"I","label":{"en":"Circulatory system","zh":"循环系统"}},{"code":"J","label":{"en":"Respiratory system","zh":"呼吸系统"}},{"code":"K","label":{"en":"Digestive system","zh":"消化系统"}},{"code":"L","label":{"en":"Skin","zh":"皮肤"}},{"code":"M","label":{"en":"Musculoskeletal system","zh":"肌肉骨骼"}},{"code":"N","label":{"en":"Genitourinary system","zh":"泌尿生殖系统"}},{"code":"O","label":{"en":"Pregnancy and childbirth","zh":"妊娠、分娩"}},{"code":"P","label":{"en":"Perinatal conditions","zh":"围生期"}},{"code":"Q","label":{"en":"Congenital conditions","zh":"先天性畸形"}},{"code":"R","label":{"en":"Symptoms and signs","zh":"症状和体征"}},{"code":"S","label":{"en":"Injuries (S)","zh":"损伤（S）"}},{"code":"T","label":{"en":"Injuries and poisoning (T)","zh":"损伤、中毒（T）"}},{"code":"U","label":{"en":"Special purposes","zh":"特殊目的编码"}},{"code":"V","label":{"en":"External causes (V)","zh":"外因（V）"}},{"code":"W","label":{"en":"External causes (W)","zh":"外因（W）"}},{"code":"X","label":{"en":"External causes (X)","zh":"外因（X）"}},{"code":"Y","label":{"en":"External causes (Y)","zh":"外因（Y）"}},{"code":"Z","label":{"en":"Factors influencing health","zh":"影响健康状态的因素"}},{"code":"other","label":{"en":"Other","zh":"其他"}}],"label":{"en":"Diagnosis chapter","zh":"诊断章"},"source":{"prefix":{"chars":1}}}],"fields":[{"id":"cost","label":{"en":"Cost","zh":"总成本"},"most":4000000000,"part_of":null,"reference":"cost","required":true,"unit":"fen"},{"id":"charges","label":{"en":"Charges","zh":"总费用"},"most":4000000000,"part_of":null,"reference":"charge","required":false,"unit":"fen"},{"id":"los","label":{"en":"Length of stay","zh":"住院日"},"most":1000000,"part_of":null,"reference":"stay","required":true,"unit":"milli_day"},{"id":"fund_paid","label":{"en":"Paid by the fund","zh":"基金支付"},"most":4000000000,"part_of":null,"reference":"charge","required":false,"unit":"fen"},{"id":"self_paid","label":{"en":"Paid by the patient","zh":"个人支付"},"most":4000000000,"part_of":null,"reference":"charge","required":false,"unit":"fen"},{"id":"cost_staff","label":{"en":"Staff","zh":"人员经费"},"most":4000000000,"part_of":"cost","reference":"cost","required":false,"unit":"fen"},{"id":"cost_materials","label":{"en":"Medical materials","zh":"卫生材料费"},"most":4000000000,"part_of":"cost","reference":"cost","required":false,"unit":"fen"},{"id":"cost_drugs","label":{"en":"Drugs","zh":"药品费"},"most":4000000000,"part_of":"cost","reference":"cost","required":false,"unit":"fen"},{"id":"cost_depreciation","label":{"en":"Depreciation","zh":"固定资产折旧费"},"most":4000000000,"part_of":"cost","reference":"cost","required":false,"unit":"fen"},{"id":"cost_amortisation","label":{"en":"Amortisation","zh":"无形资产摊销费"},"most":4000000000,"part_of":"cost","reference":"cost","required":false,"unit":"fen"},{"id":"cost_risk_fund","label":{"en":"Medical risk fund","zh":"提取医疗风险基金"},"most":4000000000,"part_of":"cost","reference":"cost","required":false,"unit":"fen"},{"id":"cost_other","label":{"en":"Other running costs","zh":"其他运行费用"},"most":4000000000,"part_of":"cost","reference":"cost","required":false,"unit":"fen"}],"groups":[{"code":"AG29","mdc":"MDCA","name":{"en":"Autologous stem cell transplant","zh":"自体干细胞移植"},"references":{"charge":14297280,"cost":13488000,"stay":24000},"weight_micro":11240000},{"code":"BB21","mdc":"MDCB","name":{"en":"Craniotomy (severe)","zh":"开颅手术，重"},"references":{"charge":8407920,"cost":7932000,"stay":22000},"weight_micro":6610000},{"code":"BB15","mdc":"MDCB","name":{"en":"Craniotomy for injury (mild)","zh":"颅脑外伤开颅，轻"},"references":{"charge":3739680,"cost":3528000,"stay":15000},"weight_micro":2940000},{"code":"BM15","mdc":"MDCB","name":{"en":"Cerebral angiography (mild)","zh":"脑血管造影，轻"},"references":{"charge":1348320,"cost":1272000,"stay":6000},"weight_micro":1060000},{"code":"BR23","mdc":"MDCB","name":{"en":"Stroke (moderate)","zh":"脑梗死，中"},"references":{"charge":928560,"cost":876000,"stay":9500},"weight_micro":730000},{"code":"BR25","mdc":"MDCB","name":{"en":"Stroke (mild)","zh":"脑梗死，轻"},"references":{"charge":737760,"cost":696000,"stay":8000},"weight_micro":580000},{"code":"BV15","mdc":"MDCB","name":{"en":"Epilepsy (mild)","zh":"癫痫，轻"},"references":{"charge":521520,"cost":492000,"stay":6000},"weight_micro":410000},{"code":"BX29","mdc":"MDCB","name":{"en":"Cranial and peripheral nerve disease","zh":"周围神经病"},"references":{"charge":864960,"cost":816000,"stay":8000},"weight_micro":680000},{"code":"BY13","mdc":"MDCB","name":{"en":"Head injury (moderate)","zh":"颅脑损伤，中"},"references":{"charge":1017600,"cost":960000,"stay":9000},"weight_micro":800000},{"code":"CJ19","mdc":"MDCC","name":{"en":"Other eye surgery","zh":"其他眼手术"},"references":{"charge":661440,"cost":624000,"stay":4000},"weight_micro":520000},{"code":"CW19","mdc":"MDCC","name":{"en":"Cataract","zh":"白内障"},"references":{"charge":597840,"cost":564000,"stay":3000},"weight_micro":470000},{"code":"DC19","mdc":"MDCD","name":{"en":"Middle ear surgery","zh":"中耳手术"},"references":{"charge":1857120,"cost":1752000,"stay":7000},"weight_micro":1460000},{"code":"DE29","mdc":"MDCD","name":{"en":"Tonsil and adenoid removal","zh":"扁桃体腺样体切除"},"references":{"charge":1424640,"cost":1344000,"stay":5000},"weight_micro":1120000},{"code":"DS19","mdc":"MDCD","name":{"en":"Vertigo and hearing loss","zh":"眩晕与听力障碍"},"references":{"charge":610560,"cost":576000,"stay":7000},"weight_micro":480000},{"code":"ER31","mdc":"MDCE","name":{"en":"Respiratory failure (severe)","zh":"呼吸衰竭，重"},"references":{"charge":1335600,"cost":1260000,"stay":11000},"weight_micro":1050000},{"code":"ES31","mdc":"MDCE","name":{"en":"Pneumonia (severe)","zh":"肺炎，重"},"references":{"charge":1081200,"cost":1020000,"stay":11000},"weight_micro":850000},{"code":"ES33","mdc":"MDCE","name":{"en":"Pneumonia (moderate)","zh":"肺炎，中"},"references":{"charge":814080,"cost":768000,"stay":9000},"weight_micro":640000},{"code":"ES35","mdc":"MDCE","name":{"en":"Pneumonia (mild)","zh":"肺炎，轻"},"references":{"charge":483360,"cost":456000,"stay":7000},"weight_micro":380000},{"code":"ET21","mdc":"MDCE","name":{"en":"Chronic airway obstruction (severe)","zh":"慢阻肺，重"},"references":{"charge":966720,"cost":912000,"stay":10500},"weight_micro":760000},{"code":"ET25","mdc":"MDCE","name":{"en":"Chronic airway obstruction (mild)","zh":"慢阻肺，轻"},"references":{"charge":559680,"cost":528000,"stay":8000},"weight_micro":440000},{"code":"EX15","mdc":"MDCE","name":{"en":"Asthma (mild)","zh":"哮喘，轻"},"references":{"charge":572400,"cost":540000,"stay":6500},"weight_micro":450000},{"code":"EX25","mdc":"MDCE","name":{"en":"Acute bronchitis (mild)","zh":"急性支气管炎，轻"},"references":{"charge":356160,"cost":336000,"stay":6000},"weight_micro":280000},{"code":"FF33","mdc":"MDCF","name":{"en":"Peripheral vessel surgery (moderate)","zh":"外周血管手术，中"},"references":{"charge":1742640,"cost":1644000,"stay":9000},"weight_micro":1370000},{"code":"FK29","mdc":"MDCF","name":{"en":"Cardiac resynchroniser or defibrillator","zh":"心脏再同步与除颤器"},"references":{"charge":14297280,"cost":13488000,"stay":10000},"weight_micro":11240000},{"code":"FL25","mdc":"MDCF","name":{"en":"Cardiac ablation (mild)","zh":"心脏消融，轻"},"references":{"charge":4452000,"cost":4200000,"stay":5000},"weight_micro":3500000},{"code":"FR19","mdc":"MDCF","name":{"en":"Acute myocardial infarction","zh":"急性心肌梗死"},"references":{"charge":1831680,"cost":1728000,"stay":8000},"weight_micro":1440000},{"code":"FR21","mdc":"MDCF","name":{"en":"Heart failure (severe)","zh":"心力衰竭，重"},"references":{"charge":1119360,"cost":1056000,"stay":9500},"weight_micro":880000},{"code":"FR25","mdc":"MDCF","name":{"en":"Heart failure (mild)","zh":"心力衰竭，轻"},"references":{"charge":712320,"cost":672000,"stay":8000},"weight_micro":560000},{"code":"FR43","mdc":"MDCF","name":{"en":"Coronary disease (moderate)","zh":"冠心病，中"},"references":{"charge":648720,"cost":612000,"stay":7000},"weight_micro":510000},{"code":"FR45","mdc":"MDCF","name":{"en":"Coronary disease (mild)","zh":"冠心病，轻"},"references":{"charge":585120,"cost":552000,"stay":6500},"weight_micro":460000},{"code":"FU25","mdc":"MDCF","name":{"en":"Arrhythmia (mild)","zh":"心律失常，轻"},"references":{"charge":610560,"cost":576000,"stay":6000},"weight_micro":480000},{"code":"FV25","mdc":"MDCF","name":{"en":"Hypertension (mild)","zh":"高血压，轻"},"references":{"charge":623280,"cost":588000,"stay":7000},"weight_micro":490000},{"code":"GB15","mdc":"MDCG","name":{"en":"Major gastric surgery (mild)","zh":"胃食管大手术，轻"},"references":{"charge":8280720,"cost":7812000,"stay":17000},"weight_micro":6510000},{"code":"GC25","mdc":"MDCG","name":{"en":"Bowel surgery (mild)","zh":"肠道手术，轻"},"references":{"charge":2836560,"cost":2676000,"stay":12000},"weight_micro":2230000},{"code":"GD15","mdc":"MDCG","name":{"en":"Appendectomy with perforation (mild)","zh":"复杂阑尾切除，轻"},"references":{"charge":1564560,"cost":1476000,"stay":8000},"weight_micro":1230000},{"code":"GD25","mdc":"MDCG","name":{"en":"Appendectomy (mild)","zh":"阑尾切除，轻"},"references":{"charge":1055760,"cost":996000,"stay":5500},"weight_micro":830000},{"code":"GE15","mdc":"MDCG","name":{"en":"Groin hernia surgery (mild)","zh":"腹股沟疝手术，轻"},"references":{"charge":1284720,"cost":1212000,"stay":5000},"weight_micro":1010000},{"code":"GK25","mdc":"MDCG","name":{"en":"Gastroscopic treatment (mild)","zh":"胃镜治疗，轻"},"references":{"charge":699600,"cost":660000,"stay":5000},"weight_micro":550000},{"code":"GS15","mdc":"MDCG","name":{"en":"Gastrointestinal bleeding (mild)","zh":"消化道出血，轻"},"references":{"charge":636000,"cost":600000,"stay":6500},"weight_micro":500000},{"code":"GV15","mdc":"MDCG","name":{"en":"Abdominal pain and obstruction (mild)","zh":"腹痛与肠梗阻，轻"},"references":{"charge":597840,"cost":564000,"stay":6000},"weight_micro":470000},{"code":"GW19","mdc":"MDCG","name":{"en":"Gastritis and enteritis","zh":"胃肠炎"},"references":{"charge":496080,"cost":468000,"stay":5500},"weight_micro":390000},{"code":"HC35","mdc":"MDCH","name":{"en":"Bile duct surgery (mild)","zh":"胆道手术，轻"},"references":{"charge":3141840,"cost":2964000,"stay":10000},"weight_micro":2470000},{"code":"HL15","mdc":"MDCH","name":{"en":"Hepatobiliary intervention (mild)","zh":"肝胆介入治疗，轻"},"references":{"charge":2187840,"cost":2064000,"stay":8000},"weight_micro":1720000},{"code":"HS25","mdc":"MDCH","name":{"en":"Cirrhosis (mild)","zh":"肝硬化，轻"},"references":{"charge":814080,"cost":768000,"stay":9000},"weight_micro":640000},{"code":"HT25","mdc":"MDCH","name":{"en":"Acute pancreatitis (mild)","zh":"急性胰腺炎，轻"},"references":{"charge":1017600,"cost":960000,"stay":8000},"weight_micro":800000},{"code":"IB29","mdc":"MDCI","name":{"en":"Short spinal fusion","zh":"短节段脊柱融合"},"references":{"charge":7377600,"cost":6960000,"stay":13000},"weight_micro":5800000},{"code":"IC29","mdc":"MDCI","name":{"en":"Hip or knee replacement","zh":"髋膝关节置换"},"references":{"charge":5596800,"cost":5280000,"stay":11000},"weight_micro":4400000},{"code":"IC49","mdc":"MDCI","name":{"en":"Other hip or knee surgery","zh":"髋膝关节其他手术"},"references":{"charge":2518560,"cost":2376000,"stay":8000},"weight_micro":1980000},{"code":"IF15","mdc":"MDCI","name":{"en":"Upper limb bone surgery (mild)","zh":"上肢骨手术，轻"},"references":{"charge":2874720,"cost":2712000,"stay":9000},"weight_micro":2260000},{"code":"IF35","mdc":"MDCI","name":{"en":"Femur surgery (mild)","zh":"股骨手术，轻"},"references":{"charge":3816000,"cost":3600000,"stay":13000},"weight_micro":3000000},{"code":"IS29","mdc":"MDCI","name":{"en":"Trunk and leg injury","zh":"躯干与下肢损伤"},"references":{"charge":1640880,"cost":1548000,"stay":9000},"weight_micro":1290000},{"code":"IU15","mdc":"MDCI","name":{"en":"Joint disease (mild)","zh":"关节病，轻"},"references":{"charge":712320,"cost":672000,"stay":8000},"weight_micro":560000},{"code":"JR19","mdc":"MDCJ","name":{"en":"Breast cancer","zh":"乳腺恶性肿瘤"},"references":{"charge":877680,"cost":828000,"stay":5000},"weight_micro":690000},{"code":"JU15","mdc":"MDCJ","name":{"en":"Skin infection (mild)","zh":"皮肤感染，轻"},"references":{"charge":661440,"cost":624000,"stay":7000},"weight_micro":520000},{"code":"KS11","mdc":"MDCK","name":{"en":"Diabetes (severe)","zh":"糖尿病，重"},"references":{"charge":890400,"cost":840000,"stay":9500},"weight_micro":700000},{"code":"KS15","mdc":"MDCK","name":{"en":"Diabetes (mild)","zh":"糖尿病，轻"},"references":{"charge":572400,"cost":540000,"stay":8000},"weight_micro":450000},{"code":"LB19","mdc":"MDCL","name":{"en":"Kidney stone surgery","zh":"肾结石手术"},"references":{"charge":3014640,"cost":2844000,"stay":8000},"weight_micro":2370000},{"code":"LL15","mdc":"MDCL","name":{"en":"Kidney dialysis (mild)","zh":"肾透析，轻"},"references":{"charge":1004880,"cost":948000,"stay":8000},"weight_micro":790000},{"code":"LS15","mdc":"MDCL","name":{"en":"Nephritis (mild)","zh":"肾炎，轻"},"references":{"charge":674160,"cost":636000,"stay":8000},"weight_micro":530000},{"code":"LU15","mdc":"MDCL","name":{"en":"Urinary infection (mild)","zh":"泌尿系感染，轻"},"references":{"charge":432480,"cost":408000,"stay":6500},"weight_micro":340000},{"code":"NC19","mdc":"MDCN","name":{"en":"Uterine surgery","zh":"子宫手术"},"references":{"charge":2327760,"cost":2196000,"stay":8000},"weight_micro":1830000},{"code":"NE19","mdc":"MDCN","name":{"en":"Uterine cavity surgery","zh":"宫腔手术"},"references":{"charge":1411920,"cost":1332000,"stay":4000},"weight_micro":1110000},{"code":"OB19","mdc":"MDCO","name":{"en":"Caesarean section","zh":"剖宫产"},"references":{"charge":1182960,"cost":1116000,"stay":6000},"weight_micro":930000},{"code":"OR19","mdc":"MDCO","name":{"en":"Vaginal delivery","zh":"阴道分娩"},"references":{"charge":546960,"cost":516000,"stay":4000},"weight_micro":430000},{"code":"PU15","mdc":"MDCP","name":{"en":"Term newborn (mild)","zh":"足月新生儿，轻"},"references":{"charge":725040,"cost":684000,"stay":5000},"weight_micro":570000},{"code":"RB25","mdc":"MDCR","name":{"en":"Chemotherapy for lymphoma or myeloma (mild)","zh":"淋巴瘤骨髓瘤化疗，轻"},"references":{"charge":1157520,"cost":1092000,"stay":6000},"weight_micro":910000},{"code":"RE15","mdc":"MDCR","name":{"en":"Chemotherapy (mild)","zh":"恶性肿瘤化疗，轻"},"references":{"charge":597840,"cost":564000,"stay":5000},"weight_micro":470000},{"code":"RW25","mdc":"MDCR","name":{"en":"Maintenance cancer treatment (mild)","zh":"肿瘤维持治疗，轻"},"references":{"charge":483360,"cost":456000,"stay":4000},"weight_micro":380000},{"code":"SR11","mdc":"MDCS","name":{"en":"Sepsis (severe)","zh":"脓毒症，重"},"references":{"charge":1793520,"cost":1692000,"stay":12000},"weight_micro":1410000},{"code":"TR19","mdc":"MDCT","name":{"en":"Schizophrenia","zh":"精神分裂症"},"references":{"charge":1526400,"cost":1440000,"stay":24000},"weight_micro":1200000},{"code":"VJ15","mdc":"MDCV","name":{"en":"Other surgery for injury (mild)","zh":"损伤其他手术，轻"},"references":{"charge":1462800,"cost":1380000,"stay":8000},"weight_micro":1150000},{"code":"XR25","mdc":"MDCX","name":{"en":"Neurological and bone rehabilitation (mild)","zh":"神经骨骼康复，轻"},"references":{"charge":674160,"cost":636000,"stay":14000},"weight_micro":530000},{"code":"ZC15","mdc":"MDCZ","name":{"en":"Limb surgery for multiple injuries (mild)","zh":"多发伤肢体手术，轻"},"references":{"charge":5596800,"cost":5280000,"stay":18000},"weight_micro":4400000},{"code":"other","mdc":"other","name":{"en":"Other","zh":"其他"},"references":{"charge":1272000,"cost":1200000,"stay":8000},"weight_micro":1000000}],"max_rows":5000000,"scheme":{"id":"chs-drg","version":"1.1"},"version":1}',0);
CREATE TABLE forks (
    origin text not null,
    held text not null,                 -- the note that was cosigned
    shown text not null,                -- the note that was refused
    at bigint not null,
    primary key (origin, shown)
);
CREATE TABLE inbox (
    round text primary key,             -- digest of the round
    name text not null unique,
    body text not null,                 -- canonical bytes of schemas::round::Round
    deadline bigint not null,
    state text not null check (state in ('pending', 'approved', 'held', 'released', 'sent', 'refused', 'late')),
    approval text,                      -- sealed schemas::officer::QuestionApproval
    reason text,                        -- why it was refused, in the steward's words; not in the log
    at bigint not null
);
CREATE TABLE ledger (
    year bigint not null,
    purpose text not null,              -- `all` for the whole allowance, else the quota's purpose
    spent_nano bigint not null check (spent_nano >= 0),
    primary key (year, purpose)
);
INSERT INTO "ledger" VALUES(2025,'all',150000000);
INSERT INTO "ledger" VALUES(2025,'benchmark',150000000);
CREATE TABLE loads (
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
INSERT INTO "loads" VALUES('dfmfylkoybwj','045d6b5a2b0236555c57cf757ecd67ec8a2e5944d59d950dffccb239bf57d648','stays','23cb97cb3c7d1889414f8b1fd41f22bb8b68e9c8d72267fb7445be830f3d4e57','patient','month',200,0,0,1795445382);
CREATE TABLE locks (
    position bigint primary key,
    locked bigint not null,
    who text not null,                  -- the officer, or `policy`
    at bigint not null
);
CREATE TABLE log (
    sequence bigint primary key,        -- 1, 2, 3 … without gaps
    digest text not null,               -- of the entry
    leaf text not null,                 -- RFC 6962 hash of the entry's bytes as a leaf
    entry text not null                 -- canonical bytes of schemas::entry::Entry
);
INSERT INTO "log" VALUES(1,'38b2a721e2f35dcc25ecaca9f2c92025ea61b1b3c8e025deec140491c81f4416','8dbf1ceeb38fc4a04a975fde4d3dac2ecf64c858c43cb23f86356af32f554ec5','{"at":1795445382,"detail":{"hospital":"h01"},"kind":"init","previous":"0000000000000000000000000000000000000000000000000000000000000000","sequence":1,"subject":"9174a31ecbbf98ad3f8069bd54be86e3a42ad6f8d01e64ade668f7fd79e61905"}');
INSERT INTO "log" VALUES(2,'7de8c00f99ad682a53c7c4f42e3d290c6b4d2c0532fb3e6947230f66506626b9','fa1464987b829ee532e0eeb1e714b6c27f82d2d397f5eed6013afd52d4c22d18','{"at":1795445382,"detail":{"signed":"false","version":"1"},"kind":"dictionary","previous":"38b2a721e2f35dcc25ecaca9f2c92025ea61b1b3c8e025deec140491c81f4416","sequence":2,"subject":"23cb97cb3c7d1889414f8b1fd41f22bb8b68e9c8d72267fb7445be830f3d4e57"}');
INSERT INTO "log" VALUES(3,'3e65f3067f436d2ee06c904596a15b3b268902244e0ded67a3175752f1ea4010','4bc7d4395b2164c31a9cf8da376078b3b4742f17fd3f9db41446f0821418ce67','{"at":1795445382,"detail":{"dictionary":"23cb97cb3c7d1889414f8b1fd41f22bb8b68e9c8d72267fb7445be830f3d4e57","load":"dfmfylkoybwj","months":"2025-01,2025-02,2025-03,2025-04,2025-05,2025-06,2025-07,2025-08,2025-09,2025-10,2025-11,2025-12"},"kind":"load","previous":"7de8c00f99ad682a53c7c4f42e3d290c6b4d2c0532fb3e6947230f66506626b9","sequence":3,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(4,'c0eab44ef693abd3cbaa1a26444d8f3723e9aad163598f2fe7993811064ae5f2','024cfb642a6d05fa301a2e1e967b3a02fc6af275bc13b06f0394f6a860d47418','{"at":1795445383,"detail":{"name":"li-hua","role":"steward"},"kind":"officer","previous":"3e65f3067f436d2ee06c904596a15b3b268902244e0ded67a3175752f1ea4010","sequence":4,"subject":"7ef626cb9ebeacfcc5a5e66fcbc5f46c7331b691e3e78bc04d0d15551266f8d4"}');
INSERT INTO "log" VALUES(5,'f9b3e13b75aa2baeddb37fa6274734df073a978cd275ae58857b66cef08df5d4','2274a3e20e92d05a2def7b5833fb23ed9064332212a65394ea644f6c08cadd02','{"at":1795445383,"detail":{"name":"zhao-min","role":"security_officer"},"kind":"officer","previous":"c0eab44ef693abd3cbaa1a26444d8f3723e9aad163598f2fe7993811064ae5f2","sequence":5,"subject":"0f3ec8ff611923e48eff575124544dc243e18d14fef36e6238df30b7329885fd"}');
INSERT INTO "log" VALUES(6,'de2339edaf62f962ea33758d5029439b6d0afbdb78c7244059e25ee4e7dc8663','2fe2b1b420a7072ccadd737f64cac121811ddc6827ad972f965f6f1116935112','{"at":1795445383,"detail":{"officer":"li-hua"},"kind":"policy","previous":"f9b3e13b75aa2baeddb37fa6274734df073a978cd275ae58857b66cef08df5d4","sequence":6,"subject":"72ca31948d6ff2d230d2e17c5569f13db283298723f18694278b8566c944ef66"}');
INSERT INTO "log" VALUES(7,'a38c4003669f0564402b97d72df62f877929d78a5fe5aa250efaccbc18673ae8','c16d4036453df15cd6cf43fc571ed53c6fb2c53ce91a55cb8ffc98e1b532d3d4','{"at":1795445383,"detail":{"officer":"zhao-min","taken":"1"},"kind":"policy","previous":"de2339edaf62f962ea33758d5029439b6d0afbdb78c7244059e25ee4e7dc8663","sequence":7,"subject":"72ca31948d6ff2d230d2e17c5569f13db283298723f18694278b8566c944ef66"}');
INSERT INTO "log" VALUES(8,'0621007c527f57f2b02e320614e95b5f3ae6c53a8aad09f64cbc0cdba2a6ab01','e5885bb6320443abd59aa565dd724fb575bbc30447b2085935624953ebc25d3c','{"at":1795445383,"detail":{"grade":"A","month":"2025-01","officer":"Li Hua","release":"1","restates":"false"},"kind":"release","previous":"a38c4003669f0564402b97d72df62f877929d78a5fe5aa250efaccbc18673ae8","sequence":8,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(9,'dbf889b3900c48733daba85f87b366e5b99c8c04eb09a6caf41732789c71226a','4488e23e5cd06743b510d093bc203f6a713d6fbc39779898e6d612cfef019f50','{"at":1795445383,"detail":{"grade":"A","month":"2025-02","officer":"Li Hua","release":"2","restates":"false"},"kind":"release","previous":"0621007c527f57f2b02e320614e95b5f3ae6c53a8aad09f64cbc0cdba2a6ab01","sequence":9,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(10,'b84c052d198938aba5f62e582ad9ba863563793f9c63fb4ecf59854589e00bc7','6794326756fb82d84386ad021d8f9df3bdc2c38c8e2b2d75391333a33c4642d7','{"at":1795445383,"detail":{"grade":"A","month":"2025-03","officer":"Li Hua","release":"3","restates":"false"},"kind":"release","previous":"dbf889b3900c48733daba85f87b366e5b99c8c04eb09a6caf41732789c71226a","sequence":10,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(11,'507c9ac902f08e5974de28ddc2e3ed73570eafc1dd3db79a5229ac14aa8d1151','06d3c549a469d52b95a042233387fda634f8b860a4cc65c140ad59b074f0e85b','{"at":1795445383,"detail":{"grade":"A","month":"2025-04","officer":"Li Hua","release":"4","restates":"false"},"kind":"release","previous":"b84c052d198938aba5f62e582ad9ba863563793f9c63fb4ecf59854589e00bc7","sequence":11,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(12,'6cae6765ce44ae2333660629d4b70c8b965878d979f28d773d9bd4f1c315e587','9e435b9eb7dde92345506b8a81dfdd4fa4049d94ad256016cd1690b1503bcc1c','{"at":1795445383,"detail":{"grade":"A","month":"2025-05","officer":"Li Hua","release":"5","restates":"false"},"kind":"release","previous":"507c9ac902f08e5974de28ddc2e3ed73570eafc1dd3db79a5229ac14aa8d1151","sequence":12,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(13,'7354aa420d8e1be2c3dc16dcffb16f05dcd51633b8eed2a0b76636ed1a3fdc8f','42e4660d6e68ec36c39cff6cbe19a4e7026940ef9a02c11ca4435262cf2aa811','{"at":1795445383,"detail":{"grade":"A","month":"2025-06","officer":"Li Hua","release":"6","restates":"false"},"kind":"release","previous":"6cae6765ce44ae2333660629d4b70c8b965878d979f28d773d9bd4f1c315e587","sequence":13,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(14,'9148fd6f911f69cab6d2a823d09a1c463b4fad4dd88136b1ad7f97f72b0f37eb','fa9faad463053710ea149c391f08130172eaa4e7f17c52c00b22eaf9c1b1fa13','{"at":1795445383,"detail":{"grade":"A","month":"2025-07","officer":"Li Hua","release":"7","restates":"false"},"kind":"release","previous":"7354aa420d8e1be2c3dc16dcffb16f05dcd51633b8eed2a0b76636ed1a3fdc8f","sequence":14,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(15,'52e86b0cec0fab9c6cf03ff7574afcaf70459c73d3821f3a47bb2e767804b2f5','cee57d9d91d4110e1d43af0cbbb3c137ac22c21c64e03a0a00784059f750064e','{"at":1795445383,"detail":{"grade":"A","month":"2025-08","officer":"Li Hua","release":"8","restates":"false"},"kind":"release","previous":"9148fd6f911f69cab6d2a823d09a1c463b4fad4dd88136b1ad7f97f72b0f37eb","sequence":15,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(16,'6fd6bed6b5ea522c9aa8c1875e35f069e4b006f1c6ae11e450eea3d018c19ce3','f7821d9c91a4ad9195ec72e935e3d6ef9123cf5ead7170b982d58a7f6a8920e2','{"at":1795445383,"detail":{"grade":"A","month":"2025-09","officer":"Li Hua","release":"9","restates":"false"},"kind":"release","previous":"52e86b0cec0fab9c6cf03ff7574afcaf70459c73d3821f3a47bb2e767804b2f5","sequence":16,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(17,'a1532d383d8daa9c993312dc8490db0fa534e6130b91f746e76d228cadb231c1','8adb27162ff70acbf07eb47d6e403512a3f3c143fbd12a8dc9b1d03de9913276','{"at":1795445383,"detail":{"grade":"A","month":"2025-10","officer":"Li Hua","release":"10","restates":"false"},"kind":"release","previous":"6fd6bed6b5ea522c9aa8c1875e35f069e4b006f1c6ae11e450eea3d018c19ce3","sequence":17,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(18,'b92a871b4ac16227dcb3f2e111685f2ad8d8162559dce7932f303d7352b5f6bd','a9434f29611648c08f344ed2cdbd82ff133be00f12f31771dcab63c6bbe0078e','{"at":1795445383,"detail":{"grade":"A","month":"2025-11","officer":"Li Hua","release":"11","restates":"false"},"kind":"release","previous":"a1532d383d8daa9c993312dc8490db0fa534e6130b91f746e76d228cadb231c1","sequence":18,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(19,'8c6c55f18954e57e7c9d25cc05116ee2486bfd1935c5bde7fde04aa306dc2fb4','cd2fae28c176e7d25d875b5f2bc03c5cab3024bf7d4768a26e94d2b1e2a16374','{"at":1795445383,"detail":{"grade":"A","month":"2025-12","officer":"Li Hua","release":"12","restates":"false"},"kind":"release","previous":"b92a871b4ac16227dcb3f2e111685f2ad8d8162559dce7932f303d7352b5f6bd","sequence":19,"subject":"595dd56639305b4d3e9f3d1edf0bab707624d04379193d8a7858c900b20dbd03"}');
INSERT INTO "log" VALUES(20,'d7088aac3ca02423e2716998dc31c90d43f5719d12fbe56a13e286d0d669bc23','3a6b65316a470ada6dd15fccafc235118db598a2a568fcb0cc2649459f0c3e3b','{"at":1795445401,"detail":{"answer":"eeb5713dc564eb01a7cf956616d5a0b5c8d8c9b37731a460a4bc5e419a84d955","charge":"0.15","mechanism":"91e4aed7233e37ae5e96992beae31967db0402d3808a8d303ac3ed485a3aac30","policy":"72ca31948d6ff2d230d2e17c5569f13db283298723f18694278b8566c944ef66","purpose":"benchmark","years":"2025"},"kind":"charge","previous":"8c6c55f18954e57e7c9d25cc05116ee2486bfd1935c5bde7fde04aa306dc2fb4","sequence":20,"subject":"80a6a68d381f6a57a05a3c1e87db3a84d064e5cc89de27b119c24d9156912a29"}');
CREATE TABLE month_rates (
    load_id text not null,
    month text not null,                -- YYYY-MM
    period text not null,               -- YYYY-MM, the closed month of the rates
    method text not null,
    digest text not null,               -- of the table
    primary key (load_id, month)
);
CREATE TABLE months (
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
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-01',1,'A',NULL,'columns/dfmfylkoybwj',14,'A','7835cf79d24fa605a41ee267acf2225dc1df85ed349f19929d85bb65967f7a95','feca506c0b8d4f4ea76c8393875eb923c36fd1e68a47eccc1e2f1b4e26bc3d2f');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-02',2,'A',NULL,'columns/dfmfylkoybwj',17,'A','f8122545e832b067b951ecdb3de29812deb52c19261f68a4009f6f0bd81ca8e9','7139bf8c69f765b966b37c33631a933fe65e5e37ad3049f9b076b8bb86e01186');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-03',3,'A',NULL,'columns/dfmfylkoybwj',22,'A','43504299c3f2a8a02f8609c162a99598adc581bfded3415588af3aa9198ab127','b64994a4f0fef9c0e1eb256b9c3fe39689385ba37c52286591677620df8ca2b4');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-04',4,'A',NULL,'columns/dfmfylkoybwj',13,'A','1736895dde1dcb0743e5bfee1b2d0ea550276c879f4f7ecdeea7c103b96ff7ae','7c756763d44ec24f5e981619b4de221fec5e3a7da640b3a5472e7a2fa55b2421');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-05',5,'A',NULL,'columns/dfmfylkoybwj',23,'A','919752028b404e9744140df40e1bf34d6b417b8cea0440a9c92dd364b42610ae','8968261a58ba1a8a8fd1ff1a22ea46b5f7cc444fd7870e6b96e189aed8ac59b5');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-06',6,'A',NULL,'columns/dfmfylkoybwj',19,'A','4b1d4a423a0b722b24d8a120696853cd7a52ae34ab4605b04859fcd12c361246','bde396162786f5d754ff0e9ce7528fdb4bad96a8f287d6ff2579a4f54b06138c');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-07',7,'A',NULL,'columns/dfmfylkoybwj',13,'A','3f55b8aaef000a670dae201068d023ad1e39391c348b220e25786d120456d8d4','cda88c471c46489ec564ce284761613bb08e9db9124dc0fc2028a61d3c470c2f');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-08',8,'A',NULL,'columns/dfmfylkoybwj',16,'A','e3b2d9ff7f914924050419a42d39ff0ff71ba0c815f0c11f139d7a3dfdb1978e','acafbe8d42dc0750fd645f24135b56f389dc8b994eb9a3740eceb266ea1f10c2');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-09',9,'A',NULL,'columns/dfmfylkoybwj',17,'A','6f678ad301ad62c5ee0541cca795c6a9d3d97e4759ab92005a657d738e7306ed','e03539b138a841b6670b1ae2e0e225e6ccb9a3ac029d098cad386b1d801acc3b');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-10',10,'A',NULL,'columns/dfmfylkoybwj',17,'A','fe369d0130dbec910654311b51378c4e26041c332894bce7694b5746fd0f989c','a633d4dd82ab2bee222e12ea303b612255c44deb1a4d027979943fea3d696a00');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-11',11,'A',NULL,'columns/dfmfylkoybwj',15,'A','e4222f3a87c77ac0e5c64f952f9e1bb8183c0fb7e947568d6200e8065dd80998','792705fc4eb2e293e364e77936a272e5bb4a128ca7e7b5b6c407331cf64b57d1');
INSERT INTO "months" VALUES('dfmfylkoybwj','2025-12',12,'A',NULL,'columns/dfmfylkoybwj',14,'A','52a672bc1a4520611a61b9b4d6a709431a0b87ab1faf52af775d3392e69c5e26','1ecf7f49daf3375c20177635b55476e64c66e15ba53706ea5bd2109d39f3e8de');
CREATE TABLE officers (
    position bigint primary key,        -- 1, 2, 3 …
    step text not null                  -- policies::access::Step
);
INSERT INTO "officers" VALUES(1,'{"joins":{"officer":{"organisation":"h01","name":"li-hua","role":"steward","key":"fcfac613151bf30640ec9395c188fc0dc721fb1b8f3899fa4a3cc24bd9f2ef96"},"signed":[]}}');
INSERT INTO "officers" VALUES(2,'{"joins":{"officer":{"organisation":"h01","name":"zhao-min","role":"security_officer","key":"1020ac5bea0302c3a5226bf49bcd8b5d25bf00678fa5c690ec2891f921a3f6ef"},"signed":[]}}');
CREATE TABLE policies (
    position bigint primary key,        -- 1, 2, 3 …
    signed text not null                -- policies::access::Signed
);
INSERT INTO "policies" VALUES(1,'{"policy":"72ca31948d6ff2d230d2e17c5569f13db283298723f18694278b8566c944ef66","rules":{"version":1,"allowance":{"total":1000000000,"benchmark":400000000,"budget":300000000,"audit":100000000,"free":200000000,"free_question":40000000},"contribution":{"groups":3,"stays":1,"series_months":3},"display":{"threshold":11,"insurer_threshold":30,"hospitals":3},"size":{"cells":100000,"dimensions":4},"quota":{"per_minute":60,"per_week":500,"lock_after":40},"allow":{"purposes":["benchmark","budget","audit","free"],"releases":["attributed","pooled"],"dimensions":["age_band","case_group","department","diagnosis","disposition","insurance","mdc","month","readmission","severity","sex","stay_band"],"templates":{"audit-signals@2":"audit","monthly-benchmark@2":"benchmark","yearly-alliance@1":"benchmark","yearly-benchmark@2":"benchmark","yearly-hospitals@2":"benchmark","yearly-pooled@2":"benchmark"}},"pooled":{"colluding":1,"hospitals":3,"percent":80,"countersigned":1,"open_rounds":2,"worst":4000000000}},"own":"","approvals":[{"alg":"ed25519","key":"7ef626cb9ebeacfcc5a5e66fcbc5f46c7331b691e3e78bc04d0d15551266f8d4","body":"eyJhdCI6MTc5NTQ0NTM4Mywib2ZmaWNlciI6ImxpLWh1YSIsIm9yZ2FuaXNhdGlvbiI6ImgwMSIsInBvbGljeSI6IjcyY2EzMTk0OGQ2ZmYyZDIzMGQyZTE3YzU1NjlmMTNkYjI4MzI5ODcyM2YxODY5NDI3OGI4NTY2Yzk0NGVmNjYifQ==","signature":"SXpuqQHymF+fBkRGum4KYrTq5QcUsjPpAbxIoZPI7qf7g3Rzqug1Om8Phe6KHaMLD8JS/9v8jthzxshHSs6ZDw=="},{"alg":"ed25519","key":"0f3ec8ff611923e48eff575124544dc243e18d14fef36e6238df30b7329885fd","body":"eyJhdCI6MTc5NTQ0NTM4Mywib2ZmaWNlciI6InpoYW8tbWluIiwib3JnYW5pc2F0aW9uIjoiaDAxIiwicG9saWN5IjoiNzJjYTMxOTQ4ZDZmZjJkMjMwZDJlMTdjNTU2OWYxM2RiMjgzMjk4NzIzZjE4Njk0Mjc4Yjg1NjZjOTQ0ZWY2NiJ9","signature":"xGbSdMwhx8lyFfmklpBVJdMfw9F5yTiV+wr586W5Yap/EOi4uWcVJbIbwiFs6E3+MHw4T+Vy6mIxsbgBDbskAg=="}],"taken":1795445383,"steps":2}');
CREATE TABLE pooled_ballots (
    round text primary key references pooled_rounds (round),
    ballot text not null,               -- pooled::vote::Ballot
    earlier text,                       -- pooled::family::Earlier of the set voted for; none of a void
    at bigint not null
);
CREATE TABLE pooled_certified (
    manifest text primary key,
    round text not null,
    certificate text not null,
    earlier text not null,              -- pooled::family::Earlier
    at bigint not null
);
CREATE TABLE pooled_countersigned (
    version bigint primary key,
    hash text not null
);
CREATE TABLE pooled_lists (
    version bigint primary key,
    hash text not null unique,
    body text not null,                 -- canonical bytes of pooled::key_list::KeyList
    at bigint not null
);
CREATE TABLE pooled_members (
    fingerprint text primary key,
    member text not null,
    sealed text not null                -- schemas::officer::MemberApproval
);
CREATE TABLE pooled_nonces (
    nonce text primary key,
    origin text not null,               -- the own log's name
    size bigint not null,               -- and its size as sent
    sealed text not null,               -- pooled::receipt::Asked
    ended bigint not null default 0,    -- 1 once the process started anew
    at bigint not null
);
CREATE TABLE pooled_receipts (
    nonce text not null references pooled_nonces (nonce),
    witness text not null,
    size bigint not null,               -- how much of this log the seat knew
    counts bigint not null,             -- 1 where it knew as much as was sent
    told text not null,                 -- pooled::receipt::Told
    primary key (nonce, witness)
);
CREATE TABLE pooled_rounds (
    round text primary key,
    manifest text not null unique,      -- H(M)
    offer text not null,                -- pooled::offer::Offer as received
    list text not null references pooled_lists (hash),
    at bigint not null
);
CREATE TABLE pooled_said (
    round text primary key,
    state text not null check (state in ('waits', 'declined', 'uploaded', 'missed')),
    why text not null,                  -- rules and next steps, no value of a patient
    closes bigint not null,
    at bigint not null
);
CREATE TABLE pooled_seat_said (
    round text primary key,
    state text not null check (state in ('awaited', 'said', 'missed')),
    why text not null,                  -- what was said, or why it was not
    closes bigint not null,             -- the committee's last moment
    at bigint not null
);
CREATE TABLE pooled_seen (
    subject text primary key,
    note text not null,                 -- signed by the subject
    at bigint not null
);
CREATE TABLE pooled_sums (
    round text not null references pooled_rounds (round),
    class bigint not null,
    sent blob not null,
    primary key (round, class)
);
CREATE TABLE pooled_uploads (
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
CREATE TABLE pooled_voided (
    manifest text primary key,          -- H(M)
    round text not null,
    certificate text not null,          -- pooled::survivors::VoidCertificate
    at bigint not null
);
CREATE TABLE pseudonym_keys (
    year bigint primary key,
    check_value text not null
);
INSERT INTO "pseudonym_keys" VALUES(2025,'f7b6b9b69ede830257c90cb6298d143994043e74aace7500d76bb67f0e4d71d3');
CREATE TABLE quality_finance (
    name text primary key,
    officer text not null,              -- schemas::officer::Officer
    signed text not null                -- schemas::seal::Sealed<Officer>, a list
);
CREATE TABLE quality_findings (
    id text primary key,
    dataset text not null,
    month text not null,
    known text not null,                -- policies::quality::Known
    first_at bigint not null,
    at bigint not null
);
CREATE TABLE quality_runs (
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
CREATE TABLE quality_signed (
    month text not null,
    load_id text not null,
    report text not null,               -- digest of report and findings
    sealed text not null,               -- quality::SignedOff
    at bigint not null,
    primary key (month, load_id, report)
);
CREATE TABLE questions (
    round text primary key,             -- digest of the round
    question text not null,             -- digest of the question
    shape text not null,                -- digest of tables and measures: what near-duplicates share
    free bigint not null,               -- 1 where no template was named
    suspect bigint not null default 0,  -- 1 where it was refused or a near-duplicate
    at bigint not null
);
CREATE TABLE released_subjects (
    subject text not null,
    way text not null check (way in ('attributed', 'pooled')),
    first_month text not null,          -- YYYY-MM
    last_month text not null,
    primary key (subject, way, first_month, last_month)
);
INSERT INTO "released_subjects" VALUES('field.cost','attributed','2025-03','2025-03');
INSERT INTO "released_subjects" VALUES('field.los','attributed','2025-03','2025-03');
INSERT INTO "released_subjects" VALUES('items.cost','attributed','2025-03','2025-03');
INSERT INTO "released_subjects" VALUES('stays','attributed','2025-03','2025-03');
CREATE TABLE replies (
    round text primary key,             -- digest of the round
    sealed text not null,               -- the signed reply
    acknowledged bigint not null default 0
);
CREATE TABLE retired_months (
    load_id text not null references loads (id),
    month text not null,                -- YYYY-MM
    release bigint,                     -- null where it was never released
    folder text not null,
    files_left bigint not null,         -- 1 until its files are deleted
    at bigint not null,
    primary key (load_id, month)
);
CREATE TABLE rollbacks (
    origin text not null,
    size bigint not null,
    note text not null,                 -- signed by this node itself
    at bigint not null,
    burned bigint,                      -- when a steward burned the gap
    primary key (origin, size)
);
CREATE TABLE round_names (
    id text primary key,
    round text not null                 -- digest of the round
);
CREATE TABLE series (
    series text not null,
    month text not null,
    release bigint not null,
    primary key (series, month, release)
);
INSERT INTO "series" VALUES('3d46750db985312d8ca723511cfaaef58d9937e899bc008296a5c265e1bad9da','2025-03',3);
CREATE TABLE standing (
    template text primary key,          -- name@version
    sealed text not null                -- schemas::officer::StandingApproval
);
CREATE TABLE told_wholes (
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
INSERT INTO "told_wholes" VALUES('whole.37ed928164e0116209ca07fb122054af01b38e83f8609a07ad583ccda59f29ef','80a6a68d381f6a57a05a3c1e87db3a84d064e5cc89de27b119c24d9156912a29','3','91e4aed7233e37ae5e96992beae31967db0402d3808a8d303ac3ed485a3aac30','23cb97cb3c7d1889414f8b1fd41f22bb8b68e9c8d72267fb7445be830f3d4e57','2025-03','2025-03','2025-03 release 3');
INSERT INTO "told_wholes" VALUES('whole.5c0e233e1e5a15cc5b1fab12d752602f16fcf7ebb1ff0aa42c5961ebae8b9f47','80a6a68d381f6a57a05a3c1e87db3a84d064e5cc89de27b119c24d9156912a29','3','91e4aed7233e37ae5e96992beae31967db0402d3808a8d303ac3ed485a3aac30','23cb97cb3c7d1889414f8b1fd41f22bb8b68e9c8d72267fb7445be830f3d4e57','2025-03','2025-03','2025-03 release 3');
INSERT INTO "told_wholes" VALUES('whole.915911b10efc4f263bbe64e7ab4765a3936544a3d9faf1701208e919556d79b1','80a6a68d381f6a57a05a3c1e87db3a84d064e5cc89de27b119c24d9156912a29','3','91e4aed7233e37ae5e96992beae31967db0402d3808a8d303ac3ed485a3aac30','23cb97cb3c7d1889414f8b1fd41f22bb8b68e9c8d72267fb7445be830f3d4e57','2025-03','2025-03','2025-03 release 3');
INSERT INTO "told_wholes" VALUES('whole.c363ab34e143eb8659b50d96dacd20ad6013613e9b4e69071560cca1f5ad326c','80a6a68d381f6a57a05a3c1e87db3a84d064e5cc89de27b119c24d9156912a29','3','91e4aed7233e37ae5e96992beae31967db0402d3808a8d303ac3ed485a3aac30','23cb97cb3c7d1889414f8b1fd41f22bb8b68e9c8d72267fb7445be830f3d4e57','2025-03','2025-03','2025-03 release 3');
INSERT INTO "told_wholes" VALUES('whole.d95b3b92df24e34e9566c2cbc6e87e37764a3da0928a0881fe1ace4a57a959c8','80a6a68d381f6a57a05a3c1e87db3a84d064e5cc89de27b119c24d9156912a29','3','91e4aed7233e37ae5e96992beae31967db0402d3808a8d303ac3ed485a3aac30','23cb97cb3c7d1889414f8b1fd41f22bb8b68e9c8d72267fb7445be830f3d4e57','2025-03','2025-03','2025-03 release 3');
CREATE TABLE view_marks (
    number bigint primary key,
    load_id text not null,
    source text not null,               -- digest of the view's name, key, watermark and filters
    mark text not null,                 -- the greatest watermark that was read
    rows_at bigint not null             -- rows that had it
);
CREATE TABLE warnings (
    id text primary key,                -- keyed hash of what makes it the same warning
    subject text not null,              -- keyed hash of the case's number; empty of days and months
    month text not null,
    alert text not null,                -- policies::early::Alert, without case and day
    at bigint not null
);
CREATE TABLE witness_keys (
    organisation text not null,
    public_key text not null,           -- Ed25519, hexadecimal
    primary key (organisation, public_key)
);
CREATE TABLE witnessed (
    origin text primary key,
    size bigint not null,
    note text not null,                 -- with this node's cosignature
    sent bigint not null                -- 0 until the coordinator has it
);
CREATE TRIGGER log_keeps_entries before update on log
begin select raise(abort, 'the log is append-only'); end;
CREATE TRIGGER log_loses_nothing before delete on log
begin select raise(abort, 'the log is append-only'); end;
COMMIT;
