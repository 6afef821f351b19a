resource "terraform_data" "office" {
  input = {
    firewall = terraform_data.firewall.id
    source   = "192.0.2.0/24"
  }
}
