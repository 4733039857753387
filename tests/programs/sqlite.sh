# sqlite3: tables, indexes, joins, aggregates, transactions, recursive queries, a file database.
cd /tmp; sqlite3 t.db << 'SQL'
create table a(id integer primary key, k text, v real); create index ak on a(k);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) insert into a select i, 'k' || (i * 7 % 101), i * 1.5 from n;
select k, count(*), sum(v), avg(v), min(v), max(v) from a group by k order by k limit 5;
begin; delete from a where id % 3 = 0; select count(*) from a; rollback; select count(*) from a;
select x.id, y.id from a x join a y on x.k = y.k and x.id < y.id order by 1, 2 limit 5;
with recursive m(x, y, n) as (select -2.0, -1.0, 0 union all select x + 0.1, y, n + 1 from m where n < 30) select round(x, 2), n from m limit 3;
select printf('%.12f %d %s', 1.0 / 3, 1 << 40, upper('text')), hex(zeroblob(4)), json_extract('{"a":[1,2]}', '$.a[1]'); pragma integrity_check; vacuum; explain query plan select * from a where k = 'k5';
SQL
echo $?
