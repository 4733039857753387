# Set-uid programs: up, down, and refused.
sudo -u nobody id -un
sudo -u nobody sh -c 'sudo -n true 2>&1 | tail -1'
echo 'nobody ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/test
sudo -u nobody sudo -n id -u
sudo -u nobody env LD_PRELOAD=/nonexistent.so CALQUE_STRACE=1 sudo -n -E id -un 2>&1 | grep -c uname
rm /etc/sudoers.d/test
su -s /bin/sh nobody -c 'id -un; echo $HOME'
