# git: init, commit, log, branch, merge, clone, gc, fsck.
set -e
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
cd /tmp; git init -q -b main r; cd r; for i in 1 2 3 4 5; do seq $i 50 > f$i; git add .; git commit -qm "Commit $i"; done
git log --oneline; git checkout -q -b side HEAD~2; echo side > g; git add g; git commit -qm side; git checkout -q main; git merge -q -m merged side; git log --graph --format='%h %s'
git diff --stat HEAD~3; git blame f1 | head -2; git grep -n 49 | head -3; git gc -q; git fsck 2>/dev/null; cd ..; git clone -q r c; cd c; git log --format=%H -1; git status --short; git archive HEAD | tar -t; git rev-list --count HEAD
