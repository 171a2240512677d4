-- A made-up portal in the tables of WHMCS 8, as far as they matter here. Nobody in it
-- exists. What must never be read is marked SECRET.
--
-- select.xml is what MariaDB 10.11 prints of it, queries.sql being the block of
-- docs/import.md; dump.xml what it dumps:
--
--   mariadb < portal.sql
--   mariadb --xml --quick --default-character-set=utf8mb4 whmcs < queries.sql > select.xml
--   mariadb-dump --xml --skip-tz-utc --single-transaction whmcs tblinvoices tblusers tblclients \
--       tblusers_clients tblcontacts tbluser_invites tblactivitylog > dump.xml
CREATE DATABASE whmcs CHARACTER SET utf8mb4;
USE whmcs;
SET sql_mode='';
CREATE TABLE tblusers (
 id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, first_name varchar(255) NOT NULL DEFAULT '', last_name varchar(255) NOT NULL DEFAULT '',
 email varchar(255) NOT NULL DEFAULT '', password varchar(255) NOT NULL DEFAULT '', language varchar(32) NOT NULL DEFAULT '',
 second_factor varchar(255) NOT NULL DEFAULT '', second_factor_config text, remember_token varchar(100) NOT NULL DEFAULT '',
 reset_token varchar(100) NOT NULL DEFAULT '', security_question_id int unsigned NOT NULL DEFAULT 0, security_question_answer varchar(255) NOT NULL DEFAULT '',
 last_ip varchar(64) NOT NULL DEFAULT '', last_hostname varchar(255) NOT NULL DEFAULT '', last_login datetime NULL,
 email_verification_token varchar(100) NOT NULL DEFAULT '', email_verification_token_expiry datetime NULL, email_verified_at datetime NULL,
 reset_token_expiry datetime NULL, created_at timestamp NULL, updated_at timestamp NULL, UNIQUE KEY tblusers_email_unique (email));
CREATE TABLE tblclients (
 id int NOT NULL AUTO_INCREMENT PRIMARY KEY, uuid varchar(255) NOT NULL DEFAULT '', firstname text NOT NULL, lastname text NOT NULL, companyname text NOT NULL,
 email text NOT NULL, address1 text NOT NULL, tax_id varchar(128) NOT NULL DEFAULT '', password text NOT NULL, authmodule text NOT NULL, authdata text NOT NULL,
 currency int NOT NULL DEFAULT 1, credit decimal(16,2) NOT NULL DEFAULT 0, datecreated date NOT NULL, notes text NOT NULL, billingcid int NOT NULL DEFAULT 0,
 securityqid int NOT NULL DEFAULT 0, securityqans text NOT NULL, cardnum text NOT NULL, gatewayid text NOT NULL, lastlogin datetime NULL,
 status enum('Active','Inactive','Closed') NOT NULL DEFAULT 'Active', language text NOT NULL, pwresetkey text NOT NULL, allow_sso tinyint NOT NULL DEFAULT 1,
 email_verified tinyint NOT NULL DEFAULT 0, email_preferences text, created_at timestamp NOT NULL DEFAULT '0000-00-00 00:00:00', updated_at timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',
 pwresetexpiry timestamp NOT NULL DEFAULT '0000-00-00 00:00:00');
CREATE TABLE tblusers_clients (
 id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, auth_user_id int unsigned NOT NULL DEFAULT 0, client_id int unsigned NOT NULL DEFAULT 0,
 invite_id int unsigned NOT NULL DEFAULT 0, owner tinyint unsigned NOT NULL DEFAULT 0, permissions text, last_login datetime NULL,
 created_at timestamp NULL, updated_at timestamp NULL, UNIQUE KEY tblusers_clients_uniq (auth_user_id, client_id));
CREATE TABLE tbluser_invites (
 id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, token varchar(100) NOT NULL DEFAULT '', email varchar(255) NOT NULL DEFAULT '', client_id int unsigned NOT NULL DEFAULT 0,
 invited_by int unsigned NOT NULL DEFAULT 0, invited_by_admin tinyint NOT NULL DEFAULT 0, permissions text, accepted_at timestamp NULL, created_at timestamp NULL, updated_at timestamp NULL, deleted_at timestamp NULL);
CREATE TABLE tblcontacts (
 id int NOT NULL AUTO_INCREMENT PRIMARY KEY, userid int NOT NULL, firstname text NOT NULL, lastname text NOT NULL, companyname text NOT NULL, email text NOT NULL,
 address1 text NOT NULL, phonenumber text NOT NULL, tax_id varchar(128) NOT NULL DEFAULT '', subaccount int NOT NULL DEFAULT 0, password text NOT NULL, permissions text NOT NULL,
 domainemails int NOT NULL, generalemails int NOT NULL, invoiceemails int NOT NULL, productemails int NOT NULL, supportemails int NOT NULL, affiliateemails int NOT NULL,
 pwresetkey text NOT NULL, created_at timestamp NOT NULL DEFAULT '0000-00-00 00:00:00', updated_at timestamp NOT NULL DEFAULT '0000-00-00 00:00:00', pwresetexpiry timestamp NOT NULL DEFAULT '0000-00-00 00:00:00');
CREATE TABLE tblactivitylog (
 id int NOT NULL AUTO_INCREMENT PRIMARY KEY, date datetime NOT NULL, description text NOT NULL, user text NOT NULL, userid int NOT NULL, user_id int unsigned NOT NULL DEFAULT 0,
 admin_id int unsigned NOT NULL DEFAULT 0, ipaddr text NOT NULL);
CREATE TABLE tblinvoices (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, userid int NOT NULL, total decimal(16,2) NOT NULL, notes text);
INSERT INTO tblusers (id,first_name,last_name,email,password,language,second_factor,second_factor_config,remember_token,reset_token,security_question_id,security_question_answer,last_ip,last_hostname,last_login,email_verification_token,email_verified_at,created_at,updated_at) VALUES
 (7,'Anna','Archer','anna@shop.example','$2y$10$SECRETpasswordAnna','english','totp','{"secret":"SECRETfactor"}','SECRETremember','SECRETreset',1,'SECRETanswer','192.0.2.7','host.example','2025-12-30 08:11:02','SECRETverify','2025-03-01 09:00:00','2020-12-15 15:29:49','2025-12-30 08:11:02'),
 (8,'Carl','O''Neil & "Sons"','carl@books.example','$2y$10$SECRETpasswordCarl','','','','','',0,'','','',NULL,'',NULL,'2024-02-29 23:59:59',NULL),
 (9,'Дора','Ünal <dev>','dora@agency.example','$2y$10$SECRETpasswordDora','turkish','',NULL,'','',0,'','','','0000-00-00 00:00:00','','0000-00-00 00:00:00','2021-07-01 00:00:00','2021-07-01 00:00:00');
INSERT INTO tblclients (id,uuid,firstname,lastname,companyname,email,address1,password,authmodule,authdata,datecreated,notes,billingcid,securityqans,cardnum,gatewayid,status,language,pwresetkey,allow_sso,email_preferences,created_at) VALUES
 (42,'f08e6a43-0000-4000-8000-000000000042','Anna','Archer','Anna''s Shop','billing@shop.example','1 High St','SECRETclient','','SECRETauthdata','2020-12-15','',9,'SECRETanswer','SECRETcard','','Active','','SECRETkey',1,'{"general":"1","invoice":"1","support":"1","product":"1","domain":"1","affiliate":"0"}','2020-12-15 15:29:49'),
 (43,'f08e6a43-0000-4000-8000-000000000043','Bob','Baker','','bob@clinic.example','2 High St','SECRETclient','','','2019-01-02','',0,'','','','Inactive','','',0,NULL,'0000-00-00 00:00:00'),
 (44,'f08e6a43-0000-4000-8000-000000000044','Dora','Ünal','Agency 44','dora@agency.example','3 High St','SECRETclient','','','2021-07-01','',0,'','','','Closed','','',1,'a:1:{s:7:"general";s:1:"1";}','2021-07-01 00:00:00');
INSERT INTO tblusers_clients (id,auth_user_id,client_id,invite_id,owner,permissions,last_login,created_at) VALUES
 (310,7,42,0,1,NULL,'2025-12-30 08:11:02','2020-12-15 15:29:49'),(311,9,42,55,0,'products,manageproducts,productsso,tickets','0000-00-00 00:00:00','2024-02-01 00:00:00'),
 (312,8,43,0,1,'',NULL,'2019-01-02 00:00:00'),(313,9,44,0,1,NULL,NULL,'2021-07-01 00:00:00'),(314,8,42,0,0,NULL,NULL,NULL);
INSERT INTO tbluser_invites (id,token,email,client_id,invited_by,invited_by_admin,permissions,accepted_at,created_at,updated_at,deleted_at) VALUES
 (55,'SECRETtoken55','dora@agency.example',42,7,0,'products,manageproducts,productsso,tickets','2024-02-01 00:00:00','2024-01-31 12:00:00','2024-02-01 00:00:00',NULL),
 (56,'SECRETtoken56','new@shop.example',42,7,0,'invoices',NULL,'2026-01-03 12:00:00','2026-01-03 12:00:00',NULL),
 (57,'SECRETtoken57','temp@clinic.example',43,1,1,'tickets',NULL,'2025-06-01 12:00:00','2025-06-02 12:00:00','2025-06-02 12:00:00');
INSERT INTO tblcontacts (id,userid,firstname,lastname,companyname,email,address1,phonenumber,subaccount,password,permissions,domainemails,generalemails,invoiceemails,productemails,supportemails,affiliateemails,pwresetkey,created_at) VALUES
 (9,42,'Ann','','','bookkeeping@shop.example','','',0,'','',0,0,1,0,0,0,'','2022-05-05 05:05:05'),
 (10,43,'','','Clinic IT','it@clinic.example','','',1,'SECRETcontact','tickets,products',1,1,0,1,1,0,'SECRETkey','0000-00-00 00:00:00');
INSERT INTO tblactivitylog (id,date,description,user,userid,user_id,admin_id,ipaddr) VALUES
 (1,'2024-02-01 00:00:00','User accepted invite - User ID: 9 - Client ID: 42','dora@agency.example',42,9,0,'192.0.2.9'),
 (2,'2025-06-02 12:00:00','Invite <cancelled>\n"by" staff & more','Admin',43,0,1,'198.51.100.1'),
 (3,'2025-06-03 12:00:00','Cron Job: Started','System',0,0,0,'');
INSERT INTO tblinvoices VALUES (1,42,12.50,'first\nsecond'),(2,43,0.00,NULL);
