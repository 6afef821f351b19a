-- The activity log says from where: an address, or the way that somebody came.

alter table activity add column origin text not null default '';
